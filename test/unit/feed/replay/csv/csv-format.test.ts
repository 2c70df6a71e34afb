import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../../temporary-folder.ts'
import { priceOf } from '../../taken.ts'
import { type Replayed, replay, write } from '../files.ts'

async function replayText(text: string, options: Parameters<typeof replay>[1] = {}): Promise<Replayed> {
  using folder = temporaryFolder()
  return await replay(write(folder.path, text), options)
}

const unusable = (message: RegExp) =>
  expect.objectContaining({ code: 'KPI_FEED_FILE', message: expect.stringMatching(message) })

const line = '2026-02-14T14:30:05Z'

describe('a CSV file', () => {
  it('becomes messages with the digits that stand in it', async () => {
    const { values, rejected, messages } = await replayText(
      `symbol,timestamp,open,high,low,close,volume
AAPL,2026-02-14T14:30:05.250Z,187.15,187.20,187.1,187.180,1200
BRK.B,2026-02-14 14:30:05,1e3,+1000.5,.5,007,-0
`,
    )
    expect(values).toEqual([
      '{"symbol":"AAPL","timestamp":"2026-02-14T14:30:05.250Z","open":187.15,"high":187.20,"low":187.1,"close":187.180,"volume":1200}',
      '{"symbol":"BRK.B","timestamp":"2026-02-14 14:30:05Z","open":1e3,"high":1000.5,"low":0.5,"close":7,"volume":-0}',
    ])
    expect(messages.map(({ key }) => key)).toEqual(['AAPL', 'BRK.B'])
    expect(rejected).toBe(0)
  })

  it.each([
    ['Ticker,Time,Last,Qty', 'A', 'A'],
    ['SYM;Date;PRICE;size', 'A', 'A'],
    ['instrument\tdatetime\tclose_price\tvol', 'A', 'A'],
    ['<TICKER>|<DateTime>|<CLOSE>|<VOL>', 'A', 'A'],
    ['"symbol","event_time","px","quantity"', 'A', 'A'],
    ['\ufeffpair,ts,tradePrice,amount', 'A', 'A'],
  ])('may call its columns otherwise: %s', async (header) => {
    const delimiter = /[;\t|]/.exec(header)?.[0] ?? ','
    const { values } = await replayText(`${header}\r\n${['A', line, '1.50', '7'].join(delimiter)}\r\n`)
    expect(values).toEqual([`{"symbol":"A","timestamp":"${line}","close":1.50,"volume":7}`])
  })

  it('may have other columns, and several for one field: the usual name wins', async () => {
    const { values, description } = await replayText(
      `id,last,symbol,date,close,note,timestamp\n1,9,A,x,2,"b,c",${line}\n`,
    )
    expect(values).toEqual([`{"symbol":"A","timestamp":"${line}","close":2,"volume":0}`])
    expect(description).toContain("CSV, symbol from 'symbol', timestamp from 'timestamp', close from 'close', volume 0")
  })

  it('takes the columns that it is told', async () => {
    const text = `id,RIC,when,Mid,Close\n1,A,${line},5,6\n`
    const mapping = new Map([
      ['symbol', 'ric'],
      ['timestamp', 'when'],
      ['close', 'Mid'],
    ] as const)
    expect((await replayText(text, { mapping })).values).toEqual([
      `{"symbol":"A","timestamp":"${line}","close":5,"volume":0}`,
    ])
    const missing = new Map([['close', 'Bid']] as const)
    await expect(replayText(text, { mapping: missing })).rejects.toThrow(
      unusable(/--map close=Bid: there is no such column \(id, RIC, when, Mid, Close\)$/),
    )
  })

  it('may do without a symbol when it is told, which wins over a column', async () => {
    const { messages } = await replayText(`time,price\n${line},1\n`, { symbol: 'EURUSD=X' })
    expect(messages.map(priceOf)).toEqual([{ symbol: 'EURUSD=X', timestamp: line, close: 1, volume: 0 }])
    expect(messages[0]?.key).toBe('EURUSD=X')
    const told = await replayText(`symbol,time,price\nA,${line},1\n`, { symbol: 'B' })
    expect(told.messages.map(priceOf).map(({ symbol }) => symbol)).toEqual(['B'])
  })

  it.each([
    ['time,price,size', /no column for symbol in its header \(time, price, size\).*--map FIELD=COLUMN, or.*--symbol/],
    ['symbol,price', /no column for timestamp/],
    ['symbol,time,volume', /no column for close/],
    [`AAPL,${line},1,2`, /has no header: its first line consists of values \(AAPL, .*--columns/],
    ['"symbol"x,time,close', /its first line is no CSV header: text behind the closing quote of field 1/],
  ])('whose header lacks what a price needs is told in one line: %s', async (header, message) => {
    await expect(replayText(`${header}\n${header}\n`)).rejects.toThrow(unusable(message))
  })

  it.each([
    ['', /is empty$/],
    ['\n \n\n', /is empty$/],
    ['[\n]\n', /no line of .* is a price/],
    [Buffer.from('symbol,time,close\n', 'utf16le').toString('latin1'), /neither CSV nor JSON lines in UTF-8/],
    ['PK\u0003\u0004 something packed', /cannot be read: /],
  ])('that is none is told in one line', async (text, message) => {
    using folder = temporaryFolder()
    const path = write(folder.path, Buffer.from(text, 'latin1'))
    await expect(replay(path)).rejects.toThrow(unusable(message))
  })
})

describe('a bad line', () => {
  it('is told with its number, and skipped', async () => {
    const { values, lines, rejected } = await replayText(
      `symbol,timestamp,close,volume
A,${line},1,1
A,${line},1
A,${line},1,1,1
,${line},1,1
A,,1,1
A,${line},,1
A,14-02-2026,1,1
A,${line},n/a,1
A,${line},1,many
A,${line},"1"2,1

"A",${line},2,
`,
    )
    expect(values.map((value) => JSON.parse(value).close)).toEqual([1, 2])
    expect(rejected).toBe(9)
    expect(
      lines.filter((text) => text.startsWith('warning')).map((text) => text.replace(/^.*prices\.csv /, '')),
    ).toEqual([
      'line 3 is skipped: 3 columns, the header has 4',
      'line 4 is skipped: 5 columns, the header has 4',
      'line 5 is skipped: no symbol',
      'line 6 is skipped: no timestamp',
      'line 7 is skipped: no close',
      "line 8 is skipped: its timestamp '14-02-2026' may begin with the month or with the day: say which with --time-format 'MM-dd-yyyy' or 'dd-MM-yyyy'",
      "line 9 is skipped: its close 'n/a' is no number",
      "line 10 is skipped: its volume 'many' is no number",
      'line 11 is skipped: text behind the closing quote of field 3',
      'were skipped, the first, line 3: 3 columns, the header has 4',
    ])
  })

  it('never takes the one behind it along', async () => {
    const { values, rejected } = await replayText(`symbol,timestamp,close\n"A,${line},1\nB,${line},2\nC,${line},3\n`)
    expect(values.map((value) => JSON.parse(value).symbol)).toEqual(['B', 'C'])
    expect(rejected).toBe(1)
  })

  it('may be all there is: then the feed says so', async () => {
    await expect(replayText('symbol,timestamp,close\nx\ny\n')).rejects.toThrow(
      unusable(/no line of .* is a price; the first, line 2: 1 columns, the header has 3$/),
    )
  })

  it('longer than a megabyte is skipped', async () => {
    const long = 'x'.repeat(2 * 1024 * 1024)
    const { values, rejected, lines } = await replayText(
      `symbol,timestamp,close\nA,${line},1\nA,${line},${long}\nB,${line},2\n`,
    )
    expect(values).toHaveLength(2)
    expect(rejected).toBe(1)
    expect(lines).toContainEqual(expect.stringMatching(/line 3 is skipped: longer than 1 MiB$/))
  })
})

describe('a quoted field', () => {
  it('may hold delimiters, quotes and line breaks; numbers of lines count on', async () => {
    const { messages, values } = await replayText(
      `symbol,timestamp,close,note\n"A""B,C",${line},"1","x\r\ny\nz"\nD,${line},2,"\n"\nE,${line},3,`,
    )
    expect(values.map((value) => JSON.parse(value).symbol)).toEqual(['A"B,C', 'D', 'E'])
    expect(messages.map(({ headers }) => headers.line?.split('@')[0])).toEqual(['2', '5', '7'])
  })

  it('goes on across what is read at a time', async () => {
    const note = 'a line of a note\n'.repeat(5000)
    const text = Array.from({ length: 10 }, (_, i) => `S${i},${line},${i},"${note}"\n`).join('')
    const { values } = await replayText(`symbol,timestamp,close,note\n${text}`)
    expect(values.map((value) => JSON.parse(value).close)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
