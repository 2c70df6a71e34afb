// Small files as venues, terminals and spreadsheets write them, and what becomes of each.
import { describe, expect, it } from 'vitest'
import { type ReplayFlags, readOptions } from '../../../../src/cli/replay-options.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'
import { replay, write } from './files.ts'

type Flags = Omit<ReplayFlags, 'speed'>

/** Symbol, instant, close and volume of each message, and how many lines were rejected. */
async function read(
  text: string | Buffer,
  flags: Flags = {},
): Promise<{ prices: string[]; rejected: number; log: string }> {
  using folder = temporaryFolder()
  const options = readOptions({ speed: Number.POSITIVE_INFINITY, ...flags })
  const { values, rejected, lines } = await replay(write(folder.path, text), options)
  return { prices: values.map(shown), rejected, log: lines.join('\n') }
}

function shown(value: string): string {
  const { symbol, timestamp, close, volume } = JSON.parse(value) as Record<string, string | number>
  const at = typeof timestamp === 'string' && !/(Z|[+-]\d\d:?\d\d)$/i.test(timestamp) ? `${timestamp}Z` : timestamp
  return `${symbol} ${new Date(at ?? '').toISOString().replace('.000Z', 'Z')} ${close} ${volume}`
}

/** The line that refuses a file. */
async function refusal(text: string | Buffer, flags: Flags = {}): Promise<string> {
  try {
    const { prices } = await read(text, flags)
    return `read as ${prices.join('; ')}`
  } catch (error) {
    expect(error).toMatchObject({ code: 'KPI_FEED_FILE', retryable: false, exitCode: 1 })
    expect((error as Error).message).not.toContain('\n')
    return (error as Error).message
  }
}

interface Read {
  readonly what: string
  readonly text: string | Buffer
  readonly flags?: Flags
  readonly prices: readonly string[]
  readonly rejected?: number
}

const at = (clock: string, close: number | string, volume: number | string = 0, symbol = 'A') =>
  `${symbol} 2024-02-14T${clock}Z ${close} ${volume}`

const head = 'symbol,timestamp,close,volume\n'

describe('a file is read', () => {
  const files: readonly Read[] = [
    // compact dates
    {
      what: 'with days as digits',
      text: 'symbol,date,close\nA,20240214,1\nA,20240215,2\n',
      prices: [at('00:00:00', 1), 'A 2024-02-15T00:00:00Z 2 0'],
    },
    {
      what: 'with a leap day as digits, and a day that does not exist',
      text: 'symbol,date,close\nA,20240228,1\nA,20240229,2\nA,20240230,3\n',
      prices: ['A 2024-02-28T00:00:00Z 1 0', 'A 2024-02-29T00:00:00Z 2 0'],
      rejected: 1,
    },
    { what: 'with minutes as digits', text: 'symbol,time,close\nA,202402141430,1\n', prices: [at('14:30:00', 1)] },
    {
      what: 'with seconds as digits in quotes',
      text: 'symbol,time,close\n"A","20240214143005","1"\n',
      prices: [at('14:30:05', 1)],
    },
    {
      what: 'with digits, a blank and minutes',
      text: 'symbol,time,close\nA,20240214 1430,1\nA,20240214 14:31,2\nA,20240214  14:32:01,3\n',
      prices: [at('14:30:00', 1), at('14:31:00', 2), at('14:32:01', 3)],
    },
    {
      what: 'with days as JSON numbers',
      text: '{"symbol":"A","date":20240214,"close":1}\n',
      prices: [at('00:00:00', 1)],
    },
    {
      what: 'with days as the JSON numbers of a message of ours',
      text: '{"symbol":"A","timestamp":20240214,"close":1,"volume":2}\n',
      prices: [at('00:00:00', 1, 2)],
    },
    {
      what: 'with digits as milliseconds where it is told',
      text: 'symbol,date,close\nA,946684800000,1\n',
      flags: { timeFormat: 'epoch-ms' },
      prices: ['A 2000-01-01T00:00:00Z 1 0'],
    },
    {
      what: 'with a compact day in New York',
      text: 'symbol,date,close\nA,20240214,1\n',
      flags: { timeZone: 'America/New_York' },
      prices: [at('05:00:00', 1)],
    },
    // date and time in two columns
    {
      what: 'with date and time apart',
      text: 'symbol,date,time,close\nA,2024-02-14,14:30,1\nA,2024-02-14,14:30:05.5,2\n',
      prices: [at('14:30:00', 1), at('14:30:05.500', 2)],
    },
    {
      what: 'with dotted dates and digits of a time apart',
      text: '<TICKER>;<DATE>;<TIME>;<CLOSE>;<VOL>\nA;14.02.2024;143005;1;2\n',
      prices: [at('14:30:05', 1, 2)],
    },
    {
      what: 'with the times of a morning as digits',
      text: 'symbol,date,time,close\nA,20240214,0005,1\nA,20240214,0930,2\n',
      prices: [at('00:05:00', 1), at('09:30:00', 2)],
    },
    {
      what: 'with the time before the date',
      text: 'symbol,time,close,date\nA,14:30,1,2024/02/14\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with midnights and times apart, as a spreadsheet exports them',
      text: 'symbol,date,time,close\nA,2024-02-14 00:00:00,14:30,1\nA,2024-02-14 00:00:00,14:31,2\n',
      prices: [at('14:30:00', 1), at('14:31:00', 2)],
    },
    {
      what: 'with the columns that are named, in Kolkata',
      text: 'symbol,day,clock,close\nA,14.02.2024,09:15,1\n',
      flags: { map: new Map([['timestamp', 'day+clock']]), timeZone: 'Asia/Kolkata' },
      prices: [at('03:45:00', 1)],
    },
    {
      what: 'with a name that has a plus',
      text: 'symbol,date+time,close\nA,2024-02-14 14:30,1\n',
      flags: { map: new Map([['timestamp', 'date+time']]) },
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with date and time as JSON members',
      text: '{"symbol":"A","date":"2024-02-14","time":"14:30","close":1}\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with an epoch beside date and time',
      text: 'date,time,unix,symbol,close\n2024-02-14,09:30,1707921000,A,1\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with a day beside an epoch',
      text: 'symbol,date,ts,close\nA,2024-02-14,1707921000,1\nA,2024-02-14,1707921060,2\n',
      prices: [at('14:30:00', 1), at('14:31:00', 2)],
    },
    {
      what: 'with an empty time of day',
      text: 'symbol,date,time,close\nA,2024-02-14,,1\nA,2024-02-15,,2\n',
      prices: [at('00:00:00', 1), 'A 2024-02-15T00:00:00Z 2 0'],
    },
    {
      what: 'with a time of day that lacks in one line',
      text: 'symbol,date,time,close\nA,2024-02-14,14:30,1\nA,2024-02-14,,2\n',
      prices: [at('14:30:00', 1)],
      rejected: 1,
    },
    {
      what: 'with days of several rows where it is told so',
      text: 'symbol,date,close\nA,2024-02-14,1\nA,2024-02-14,2\n',
      flags: { map: new Map([['timestamp', 'date']]) },
      prices: [at('00:00:00', 1), at('00:00:00', 2)],
    },
    // numbers
    { what: 'with seconds in exponents', text: `${head}A,1.7079210E+09,1,2\n`, prices: [at('14:30:00', 1, 2)] },
    {
      what: 'with milliseconds in exponents',
      text: `${head}A,1.707921000105e12,1,2\n`,
      prices: [at('14:30:00.105', 1, 2)],
    },
    { what: 'with microseconds', text: `${head}A,1707921000105000,1,2\n`, prices: [at('14:30:00.105', 1, 2)] },
    {
      what: 'with seconds before 1980 where it is told',
      text: `${head}A,86400,1,2\n`,
      flags: { timeFormat: 'epoch-s' },
      prices: ['A 1970-01-02T00:00:00Z 1 2'],
    },
    {
      what: 'with nanoseconds that look like ticks where it is told',
      text: `${head}A,638434818000000000,1,2\n`,
      flags: { timeFormat: 'epoch-ns' },
      prices: ['A 1990-03-26T07:00:18Z 1 2'],
    },
    {
      what: 'with days of a spreadsheet in Berlin',
      text: `${head}A,45336.5,1,2\n`,
      flags: { timeFormat: 'excel', timeZone: 'Europe/Berlin' },
      prices: [at('11:00:00', 1, 2)],
    },
    {
      what: 'with days of a German spreadsheet',
      text: 'symbol;date;close\nA;45336,604166666664;1,5\n',
      flags: { timeFormat: 'excel', decimal: ',' },
      prices: [at('14:30:00', 1.5)],
    },
    {
      what: 'with ticks',
      text: `${head}A,638435178000000000,1,2\n`,
      flags: { timeFormat: 'dotnet-ticks' },
      prices: [at('14:30:00', 1, 2)],
    },
    // zones
    {
      what: 'in the summer of London',
      text: `${head}A,2024-07-01 09:30,1,2\n`,
      flags: { timeZone: 'Europe/London' },
      prices: ['A 2024-07-01T08:30:00Z 1 2'],
    },
    {
      what: 'with an offset in a zone',
      text: `${head}A,2024-02-14T09:30:00-05:00,1,2\nA,2024-02-14 14:31 UTC,1,2\n`,
      flags: { timeZone: 'Asia/Tokyo' },
      prices: [at('14:30:00', 1, 2), at('14:31:00', 1, 2)],
    },
    {
      what: 'with epochs in a zone',
      text: `${head}A,1707921000,1,2\n`,
      flags: { timeZone: 'Asia/Tokyo' },
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'in a fixed zone',
      text: `${head}A,2024-02-14 09:30:00,1,2\n`,
      flags: { timeZone: 'Etc/GMT+5' },
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'with a message of ours in a zone',
      text: '{"symbol":"A","timestamp":"2024-02-14T09:30:00","close":1,"volume":2}\n',
      flags: { timeZone: 'America/New_York' },
      prices: [at('14:30:00', 1, 2)],
    },
    // forms of dates
    {
      what: 'without seconds',
      text: `${head}A,2024-02-14T14:30Z,1,2\nA,2024-02-14 14:31,1,2\n`,
      prices: [at('14:30:00', 1, 2), at('14:31:00', 1, 2)],
    },
    {
      what: 'with short offsets',
      text: `${head}A,2024-02-14 14:30:00+00,1,2\nA,2024-02-14 20:01+0530,1,2\nA,2024-02-14 14:32:00 +0000,1,2\n`,
      prices: [at('14:30:00', 1, 2), at('14:31:00', 1, 2), at('14:32:00', 1, 2)],
    },
    {
      what: 'with dots, the year first',
      text: `${head}A,2024.02.14 14:30,1,2\nA,2024.02.15,1,2\n`,
      prices: [at('14:30:00', 1, 2), 'A 2024-02-15T00:00:00Z 1 2'],
    },
    {
      what: 'with slashes, the year first',
      text: `${head}A,2024/02/14 14:30:00.5,1,2\n`,
      prices: [at('14:30:00.500', 1, 2)],
    },
    {
      what: 'with dots, the day first',
      text: `${head}A,14.02.2024,1,2\nA,15.02.2024 09:00 GMT,1,2\n`,
      prices: [at('00:00:00', 1, 2), 'A 2024-02-15T09:00:00Z 1 2'],
    },
    {
      what: 'with slashes, as it is told',
      text: `${head}A,02/14/2024 14:30,1,2\n`,
      flags: { timeFormat: 'MM/dd/yyyy HH:mm' },
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'with slashes and a time of day apart, as it is told',
      text: 'symbol,date,time,close\nA,14/02/2024,14:30,1\n',
      flags: { timeFormat: 'dd/MM/yyyy' },
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with slashes and a time of day apart, as it is told for both',
      text: 'symbol,date,time,close\nA,2/14/2024,2:30 PM,1\n',
      flags: { timeFormat: 'M/d/yyyy h:mm a' },
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with names of months, as it is told',
      text: `${head}A,14-Feb-2024,1,2\n`,
      flags: { timeFormat: 'dd-MMM-yyyy' },
      prices: [at('00:00:00', 1, 2)],
    },
    {
      what: 'with milliseconds behind digits, as it is told',
      text: `${head}A,20240214143000105,1,2\n`,
      flags: { timeFormat: 'yyyyMMddHHmmssSSS' },
      prices: [at('14:30:00.105', 1, 2)],
    },
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
    // numbers of other countries
    {
      what: 'with decimal commas',
      text: 'symbol;date;close;volume\nA;2024-02-14;1.161,75;1.234.567\n',
      flags: { decimal: ',', thousands: '.' },
      prices: [at('00:00:00', 1161.75, 1234567)],
    },
    {
      what: 'with commas between thousands',
      text: 'symbol,date,close,volume\nA,2024-02-14,"1,161.75","12,34,567"\n',
      flags: { thousands: ',' },
      prices: [at('00:00:00', 1161.75, 1234567)],
    },
    {
      what: 'with blanks between thousands',
      text: 'symbol;date;close;volume\nA;2024-02-14;1\u00a0161,75;1\u202f234\n',
      flags: { decimal: ',', thousands: ' ' },
      prices: [at('00:00:00', 1161.75, 1234)],
    },
    {
      what: 'with points where thousands are, and where they are not',
      text: 'symbol;date;close\nA;2024-02-14;1.161\nA;2024-02-15;160.50\n',
      flags: { decimal: ',', thousands: '.' },
      prices: [at('00:00:00', 1161)],
      rejected: 1,
    },
    {
      what: 'with strings and numbers of JSON',
      text: '{"symbol":"A","date":"2024-02-14","close":"1,5","volume":1.5}\n{"symbol":"A","date":"2024-02-15","close":2.5,"volume":"1.000"}\n',
      flags: { decimal: ',', thousands: '.' },
      prices: [at('00:00:00', 1.5, 1.5), 'A 2024-02-15T00:00:00Z 2.5 1000'],
    },
    {
      what: 'with words for no volume',
      text: `${head}A,2024-02-14T14:30:00Z,1,nan\nA,2024-02-14T14:31:00Z,1,n/a\nA,2024-02-14T14:32:00Z,1,NULL\nA,2024-02-14T14:33:00Z,1,-\nA,2024-02-14T14:34:00Z,1,\n`,
      prices: ['14:30', '14:31', '14:32', '14:33', '14:34'].map((time) => at(`${time}:00`, 1)),
    },
    {
      what: 'with words for no price',
      text: `${head}A,2024-02-14T14:30:00Z,NaN,1\nA,2024-02-14T14:31:00Z,2,1\n`,
      prices: [at('14:31:00', 2, 1)],
      rejected: 1,
    },
    {
      what: 'with null in JSON',
      text: '{"symbol":"A","timestamp":"2024-02-14T14:30:00Z","open":null,"high":null,"low":null,"close":1,"volume":null}\n',
      prices: [at('14:30:00', 1)],
    },
    // layout noise
    {
      what: 'with a delimiter at the end of the header alone',
      text: 'symbol,timestamp,close,\nA,2024-02-14T14:30:00Z,1\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with a delimiter at the end of all lines',
      text: 'symbol,timestamp,close,\nA,2024-02-14T14:30:00Z,1,\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with blanks around quotes',
      text: '"symbol" , "timestamp" , "close"\n"A" , "2024-02-14T14:30:00Z" , "1"\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with lines of blanks',
      text: `${head}A,2024-02-14T14:30:00Z,1,2\n   \n\t\n`,
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'in UTF-16, the high byte first',
      text: Buffer.from(`\ufeff${head}A,2024-02-14T14:30:00Z,1,2\n`, 'utf16le').swap16(),
      prices: [at('14:30:00', 1, 2)],
    },
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
  ]

  it.each(files)('$what', async ({ text, flags, prices, rejected = 0 }) => {
    const found = await read(text, flags)
    expect(found.prices).toEqual(prices)
    expect(found.rejected, found.log).toBe(rejected)
  })
})

describe('a file is refused', () => {
  const refusals: readonly { what: string; text: string | Buffer; flags?: Flags; says: readonly string[] }[] = [
    { what: 'with numbers before 1980', text: `${head}A,123456789,1,2\n`, says: ['--time-format', 'line 2'] },
    {
      what: 'with digits that are mostly no dates',
      text: 'symbol,date,close\nA,19700131,1\nA,19700132,1\nA,19700133,1\n',
      says: ['--time-format'],
    },
    { what: 'with days of a spreadsheet', text: `${head}A,45336.5,1,2\n`, says: ['--time-format', 'excel'] },
    {
      what: 'with whole days of a spreadsheet',
      text: 'symbol,date,close\nA,45336,1\nA,45337,1\n',
      says: ['--time-format', 'excel'],
    },
    { what: 'with ticks', text: `${head}A,638435178000000000,1,2\n`, says: ['--time-format dotnet-ticks'] },
    {
      what: 'with milliseconds behind the digits of a date',
      text: `${head}A,20240214143000105,1,2\n`,
      says: ['--time-format yyyyMMddHHmmssSSS'],
    },
    { what: 'with a time of day alone', text: 'symbol,time,close\nA,14:30,1\n', says: ['--map timestamp=DATE+time'] },
    { what: 'with digits of a time of day alone', text: 'symbol,time,close\nA,143000,1\n', says: ['--time-format'] },
    {
      what: 'with a time of day of another name',
      text: 'symbol,date,BarStart,close\nA,2024-02-14,14:30:00,1\nA,2024-02-15,14:30:00,1\n',
      says: ["--map 'timestamp=date+BarStart'"],
    },
    {
      what: 'with a time of day in digits of another name',
      text: 'symbol,date,bar_time,close\nA,20240214,0930,1\nA,20240215,0930,1\n',
      says: ["--map 'timestamp=date+bar_time'"],
    },
    {
      what: 'with an hour beside its days',
      text: 'symbol,date,hour,close\nA,2024-02-14,9,1\nA,2024-02-15,10,1\n',
      says: ['--map', 'hour'],
    },
    {
      what: 'with a time of day that is not read',
      text: 'symbol,date,time,close\nA,2024-02-14,9:30,1\nA,2024-02-14,9:31,1\n',
      says: ['--map', 'time'],
    },
    {
      what: 'with several rows of one day',
      text: 'symbol,date,close\nA,2024-02-14,1\nB,2024-02-14,1\nA,2024-02-14,2\n',
      says: ['--map', 'one window'],
    },
    {
      what: 'with several rows of one day as digits',
      text: 'date,close\n20240214,1\n20240214,1\n',
      flags: { symbol: 'A' },
      says: ['--map'],
    },
    {
      what: 'with several rows of one day in JSON',
      text: '{"symbol":"A","date":"2024-02-14","close":1}\n{"symbol":"A","date":"2024-02-14","close":2}\n',
      says: ['--map'],
    },
    {
      what: 'with months or days first',
      text: `${head}A,02/03/2024 14:30,1,2\n`,
      says: ["--time-format 'MM/dd/yyyy HH:mm' or 'dd/MM/yyyy HH:mm'"],
    },
    {
      what: 'with months or days first and short',
      text: `${head}A,2/3/24 9:30 PM,1,2\n`,
      says: ["'M/d/yy h:mm a' or 'd/M/yy h:mm a'"],
    },
    {
      what: 'with months or days first, and times of day',
      text: 'symbol,date,time,close\nA,02/03/2024,14:30,1\nA,02/03/2024,14:31,1\n',
      says: ["--time-format 'MM/dd/yyyy'"],
    },
    { what: 'with names of months', text: `${head}A,14 Feb 2024,1,2\n`, says: ['--time-format'] },
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
    { what: 'packed by bzip2', text: Buffer.from('BZh91AY&SY'), says: ['bz2'] },
    { what: 'packed by xz', text: Buffer.from('\xfd7zXZ\x00', 'latin1'), says: ['xz'] },
    { what: 'that is Parquet', text: Buffer.from('PAR1....'), says: ['Parquet'] },
  ]

  it.each(refusals)('$what', async ({ text, flags, says }) => {
    const said = await refusal(text, flags)
    for (const word of says) expect(said).toContain(word)
  })
})
