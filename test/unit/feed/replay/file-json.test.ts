import { describe } from 'vitest'
import { areRead, at, head } from './file-forms.ts'

describe('a file of JSON, of bars, or with other names is read', () => {
  areRead([
    // JSON
    {
      what: 'as a pretty array of objects',
      text: '[\n  {\n    "symbol": "A",\n    "timestamp": "2024-02-14T14:30:00Z",\n    "close": 1,\n    "note": "], [ \\" }"\n  },\n  {"symbol": "A", "timestamp": "2024-02-14T14:31:00Z", "close": 2}\n]\n',
      prices: [at('14:30:00', 1), at('14:31:00', 2)],
    },
    {
      what: 'as an array of which one element is none',
      text: '[{"symbol":"A","timestamp":"2024-02-14T14:30:00Z","close":1},7,{"symbol":"A","timestamp":"2024-02-14T14:31:00Z","close":2}]',
      prices: [at('14:30:00', 1), at('14:31:00', 2)],
      rejected: 1,
    },
    {
      what: 'as an array that is cut off',
      text: '[{"symbol":"A","timestamp":"2024-02-14T14:30:00Z","close":1},{"symbol":"A","time',
      prices: [at('14:30:00', 1)],
      rejected: 1,
    },
    {
      what: 'as an array of arrays of klines',
      text: '[\n[1707921000000,"1","2","0.5","1.5","7",1707921059999,"646.1",900,"6.1","315.2","0"]]',
      flags: { layout: 'binance-klines', symbol: 'A' },
      prices: [at('14:30:00', 1.5, 7)],
    },
    {
      what: 'as lines of arrays',
      text: '["A", 1707921000, null, 1.5]\n["A", 1707921060, 7, 2.5]\n',
      flags: { columns: 'symbol,timestamp,volume,close' },
      prices: [at('14:30:00', 1.5), at('14:31:00', 2.5, 7)],
    },
    {
      what: 'as frames, with the usual names in their elements',
      text: '{"type":"trade","data":[{"symbol":"A","price":1.5,"size":2,"time":1707921000},{"symbol":"B","price":2.5,"size":3,"time":1707921000}]}\n{"type":"ping"}\n',
      flags: { map: new Map([['close', 'data[].price']]) },
      prices: [at('14:30:00', 1.5, 2), at('14:30:00', 2.5, 3, 'B')],
      rejected: 1,
    },
    {
      what: 'as frames, with the symbol around the elements',
      text: '{"symbol":"A","ticks":[{"p":{"last":"1.5"},"t":1707921000},{"p":{"last":"2.5"},"t":1707921060}]}\n',
      flags: {
        map: new Map([
          ['close', 'ticks[].p.last'],
          ['timestamp', 'ticks[].t'],
        ]),
      },
      prices: [at('14:30:00', 1.5), at('14:31:00', 2.5)],
    },
    {
      what: 'as frames of arrays',
      text: '{"pair":"A","candles":[["1707921000",1.5],["1707921060",2.5]]}\n',
      flags: {
        map: new Map([
          ['close', 'candles[].1'],
          ['timestamp', 'candles[].0'],
        ]),
      },
      prices: [at('14:30:00', 1.5), at('14:31:00', 2.5)],
    },
    // ends of bars
    {
      what: 'with the ends of bars',
      text: `${head}A,2024-02-14T14:35:00.250+00:00,1,2\nA,1707921600000,1,2\n`,
      flags: { barTime: 'end', barSeconds: 300 },
      prices: [at('14:30:00.250', 1, 2), at('14:35:00', 1, 2)],
    },
    {
      what: 'with the ends of bars around a change of clocks',
      text: `${head}A,2024-03-10 03:00,1,2\n`,
      flags: { barTime: 'end', barSeconds: 300, timeZone: 'America/New_York' },
      prices: ['A 2024-03-10T06:55:00Z 1 2'],
    },
    {
      what: 'with a message of ours for the end of a bar',
      text: '{"symbol":"A","timestamp":1707921300000,"close":1,"volume":2}\n',
      flags: { barTime: 'end', barSeconds: 300 },
      prices: [at('14:30:00', 1, 2)],
    },
    // names
    {
      what: 'with the names of Polygon',
      text: 'ticker,volume,open,close,high,low,window_start,transactions\nA,7,1,1.5,2,0.5,1707921000000000000,3\n',
      prices: [at('14:30:00', 1.5, 7)],
    },
    {
      what: 'with the names of Databento',
      text: 'ts_event,rtype,open,high,low,close,volume,symbol\n2024-02-14T14:30:00.000000000Z,34,1,2,0.5,1.5,7,A\n',
      prices: [at('14:30:00', 1.5, 7)],
    },
    {
      what: 'with the names of Dukascopy',
      text: 'Gmt time,Open,High,Low,Close,Volume\n14.02.2024 14:30:00.000,1,2,0.5,1.5,7\n',
      flags: { symbol: 'A' },
      prices: [at('14:30:00', 1.5, 7)],
    },
    { what: 'with a date time', text: 'Symbol,Date Time,Close\nA,2024-02-14 14:30,1\n', prices: [at('14:30:00', 1)] },
    {
      what: 'with the volume of the base behind that of the quote',
      text: 'Date,Symbol,Close,Volume USDT,Volume BTC\n2024-02-14,BTCUSDT,1,646,7\n',
      prices: [at('00:00:00', 1, 7, 'BTCUSDT')],
    },
    {
      what: 'with the volume of the base that --symbol has',
      text: 'Date,Close,Volume USD,Volume ETH\n2024-02-14,1,646,7\n',
      flags: { symbol: 'ETH-USD' },
      prices: [at('00:00:00', 1, 7, 'ETH-USD')],
    },
    {
      what: 'with a volume of the quote alone',
      text: '{"symbol":"A","timestamp":"2024-02-14T14:30:00Z","close":1,"quoteVolume":646}\n',
      prices: [at('14:30:00', 1, 646)],
    },
    {
      what: 'with a volume and one of the quote',
      text: '{"symbol":"A","timestamp":"2024-02-14T14:30:00Z","close":1,"quoteVolume":646,"amount":7}\n',
      prices: [at('14:30:00', 1, 7)],
    },
    // what would be dead letters
    {
      what: 'without what would be dead letters',
      text: `${head}A,2024-02-14T14:30:00Z,1,-2\nA B,2024-02-14T14:30:00Z,1,2\nA,1969-12-31T23:59:59Z,1,2\nA,2024-02-14T14:30:00Z,1e15,2\nA,2024-02-14T14:31:00Z,1,2\n`,
      prices: [at('14:31:00', 1, 2)],
      rejected: 4,
    },
  ])
})
