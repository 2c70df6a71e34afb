import { describe } from 'vitest'
import { areRefused, head } from './file-forms.ts'

describe('a file is refused', () => {
  areRefused([
    {
      what: 'with a zone against the name of its column',
      text: 'symbol,Time (UTC),close\nA,2024-02-14 14:30,1\n',
      flags: { timeZone: 'Asia/Tokyo' },
      says: ['Time (UTC)', '--time-zone'],
    },
    {
      what: 'with klines',
      text: '1707921000000,1,2,0.5,1.5,7,1707921059999,646.1,900,6.1,315.2,0\n',
      says: ['--columns timestamp,open,high,low,close,volume', '--layout binance-klines', '--symbol'],
    },
    {
      what: 'with aggregated trades',
      text: '10,1.5,7,1,2,1707921000105,True,True\n',
      flags: { symbol: 'A' },
      says: ['--columns -,close,volume,-,-,timestamp'],
    },
    {
      what: 'with trades of Binance',
      text: '10,1.5,7,10.5,1707921000105,true,true\n',
      flags: { symbol: 'A' },
      says: ['--columns -,close,volume,-,timestamp'],
    },
    {
      what: 'with trades of Kraken',
      text: '1707921000.105,1.5,7\n',
      says: ['--columns timestamp,close,volume', '--layout kraken-trades'],
    },
    {
      what: 'with bars of Kraken',
      text: '1707921000,1,2,0.5,1.5,7,12\n',
      says: ['--columns timestamp,open,high,low,close,volume', 'kraken-ohlc'],
    },
    {
      what: 'with HistData',
      text: '20240214 143000;1;2;0.5;1.5;0\n',
      says: ['--columns timestamp,open,high,low,close,volume', 'histdata'],
    },
    {
      what: 'with Stooq',
      text: 'A.US,5,20240214,143000,1,2,0.5,1.5,7,0\n',
      says: ['--columns symbol,-,date,time,open,high,low,close,volume', 'stooq'],
    },
    {
      what: 'with MetaTrader',
      text: '2024.02.14,14:30,1,2,0.5,1.5,7\n',
      says: ['--columns date,time,open,high,low,close,volume', 'metatrader'],
    },
    {
      what: 'with bars of no known layout',
      text: 'A,2024-02-14T14:30:00Z,1,2,0.5,1.5,7\n',
      says: ['--columns symbol,timestamp,open,high,low,close,volume'],
    },
    { what: 'with values of no known layout', text: '7,8,9\n', says: ['--columns'] },
    {
      what: 'with fewer columns than are named',
      text: '1707921000,1.5\n',
      flags: { columns: 'timestamp,close,volume', symbol: 'A' },
      says: ['names 3 columns, line 1 has 2'],
    },
    {
      what: 'with columns and no symbol',
      text: '1707921000,1.5\n',
      flags: { columns: 'timestamp,close' },
      says: ['--symbol'],
    },
    {
      what: 'with a banner',
      text: `https://example.com/prices\nAll of them, in UTC\n${head}A,2024-02-14T14:30:00Z,1,2\n`,
      says: ['line 3', '--skip-lines 2'],
    },
    { what: 'with currencies', text: `${head}A,2024-02-14T14:30:00Z,€5,2\n`, says: ['currency'] },
    {
      what: 'with letters for millions',
      text: `${head}A,2024-02-14T14:30:00Z,5,2.35M\n`,
      says: ['2.35M', 'write it out'],
    },
    {
      what: 'with commas between thousands',
      text: `${head}A,2024-02-14T14:30:00Z,"1,161.75",2\n`,
      says: ['--thousands ,'],
    },
    { what: 'with decimal commas', text: 'symbol;date;close\nA;2024-02-14;160,50\n', says: ['--decimal ,'] },
    {
      what: 'with arrays without names',
      text: '[[1707921000,1,2,0.5,1.5,7,12]]',
      flags: { symbol: 'A' },
      says: ['--columns timestamp,open,high,low,close,volume'],
    },
    { what: 'with lines of arrays without names', text: '["A",1707921000,1.5]\n', says: ['--columns'] },
    { what: 'with an empty array', text: '[]', says: ['no line', 'is a price'] },
    {
      what: 'with frames of two arrays',
      text: '{"a":[{"p":1}],"b":[{"t":2}]}\n',
      flags: {
        map: new Map([
          ['close', 'a[].p'],
          ['timestamp', 'b[].t'],
        ]),
      },
      says: ['one array'],
    },
    { what: 'with a header alone', text: head, says: ['no line of', 'is a price'] },
    { what: 'with nothing but comments', text: '# a\n# b\n', says: ['no line that is a price'] },
    { what: 'with nothing', text: '', says: ['is empty'] },
    { what: 'with fewer lines than are skipped', text: head, flags: { skipLines: 5 }, says: ['--skip-lines'] },
    {
      what: 'with nothing but dead letters',
      text: `${head}A,2024-02-14T14:30:00Z,1,-2\n`,
      says: ['line 2', 'negative_volume'],
    },
    { what: 'compressed with bzip2', text: Buffer.from('BZh91AY&SY'), says: ['bz2'] },
    { what: 'compressed with xz', text: Buffer.from('\xfd7zXZ\x00', 'latin1'), says: ['xz'] },
    { what: 'that is Parquet', text: Buffer.from('PAR1....'), says: ['Parquet'] },
  ])
})
