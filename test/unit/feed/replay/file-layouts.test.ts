import { describe } from 'vitest'
import { areRead, at, head } from './file-forms.ts'

describe('a file without a header, or with lines above it, is read', () => {
  areRead([
    // without a header
    {
      what: 'by its columns, the later ones unnamed',
      text: '1707921000,1,2,0.5,1.5,7,x,y\n',
      flags: { columns: 'timestamp,open,high,low,close,volume', symbol: 'A' },
      prices: [at('14:30:00', 1.5, 7)],
    },
    {
      what: 'by its columns, some skipped',
      text: 'x;A;y;2024-02-14;14:30;1.5\n',
      flags: { columns: '-,symbol,-,date,time,close' },
      prices: [at('14:30:00', 1.5)],
    },
    {
      what: 'by its columns, below a header of other names',
      text: 'wann;was\n2024-02-14 14:30;1,5\n',
      flags: { columns: 'timestamp,close', skipLines: 1, decimal: ',', symbol: 'A' },
      prices: [at('14:30:00', 1.5)],
    },
    {
      what: 'with symbols that begin like a comment',
      text: '#A,2024-02-14T14:30:00Z,1\n#B,2024-02-14T14:30:00Z,2\n',
      flags: { columns: 'symbol,timestamp,close' },
      prices: [at('14:30:00', 1, 0, '#A'), at('14:30:00', 2, 0, '#B')],
    },
    {
      what: 'as klines',
      text: '1707921000000000,1,2,0.5,1.5,7,1707921059999999,646.1,900,6.1,315.2,0\n',
      flags: { layout: 'binance-klines', symbol: 'A' },
      prices: [at('14:30:00', 1.5, 7)],
    },
    {
      what: 'as aggregated trades',
      text: '10,1.5,7,1,2,1707921000105,true,true\n',
      flags: { layout: 'binance-aggtrades', symbol: 'A' },
      prices: [at('14:30:00.105', 1.5, 7)],
    },
    {
      what: 'as trades of Binance',
      text: '10,1.5,7,10.5,1707921000105,true,true\n',
      flags: { layout: 'binance-trades', symbol: 'A' },
      prices: [at('14:30:00.105', 1.5, 7)],
    },
    {
      what: 'as trades of Kraken',
      text: '1707921000.105,1.5,7\n',
      flags: { layout: 'kraken-trades', symbol: 'A' },
      prices: [at('14:30:00.105', 1.5, 7)],
    },
    {
      what: 'as bars of Kraken',
      text: '1707921000,1,2,0.5,1.5,7,12\n',
      flags: { layout: 'kraken-ohlc', symbol: 'A' },
      prices: [at('14:30:00', 1.5, 7)],
    },
    {
      what: 'as HistData',
      text: '20240214 143000;1;2;0.5;1.5;0\n',
      flags: { layout: 'histdata', symbol: 'A' },
      prices: [at('14:30:00', 1.5)],
    },
    {
      what: 'as Stooq',
      text: 'A.US,5,20240214,143000,1,2,0.5,1.5,7,0\n',
      flags: { layout: 'stooq' },
      prices: [at('14:30:00', 1.5, 7, 'A.US')],
    },
    {
      what: 'as MetaTrader',
      text: '2024.02.14,14:30,1,2,0.5,1.5,7\n',
      flags: { layout: 'metatrader', symbol: 'A' },
      prices: [at('14:30:00', 1.5, 7)],
    },
    // above the header
    {
      what: 'below comments and the line for Excel',
      text: `# made today\n\n"sep=|"\nsymbol|timestamp|close,x\nA|2024-02-14T14:30:00Z|1\n`,
      flags: { map: new Map([['close', 'close,x']]) },
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'below a banner',
      text: `Prices, all of them\n\n${head}A,2024-02-14T14:30:00Z,1,2\n`,
      flags: { skipLines: 2 },
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'of JSON below a comment',
      text: '# x\n{"symbol":"A","timestamp":"2024-02-14T14:30:00Z","close":1,"volume":2}\n',
      prices: [at('14:30:00', 1, 2)],
    },
  ])
})
