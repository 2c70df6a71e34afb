import { describe, expect, it } from 'vitest'
import type { FieldMapping } from '../../../../../src/feed/replay/field-names.ts'
import { temporaryFolder } from '../../../../temporary-folder.ts'
import { type Replayed, replay, write } from '../files.ts'

async function replayLines(lines: readonly string[], options: Parameters<typeof replay>[1] = {}): Promise<Replayed> {
  using folder = temporaryFolder()
  return await replay(write(folder.path, lines.join('\n')), options)
}

const at = '"timestamp":"2026-02-14T14:30:05.250Z"'

describe('a line that is a message already', () => {
  it.each([
    `{"symbol":"A",${at},"open":1.10,"high":2,"low":1e0,"close":1.50,"volume":7}`,
    `{ "volume" : 7, "close":-1.50,\t"symbol":"A", ${at} }`,
    `{"symbol":"A",${at},"close":1,"volume":7,"note":"é","price":"x","more":{"close":null}}`,
    `{"symbol":"A","timestamp":1771079405250,"close":1,"volume":7}`,
    `{"symbol":"A","timestamp":"2026-02-14 14:30:05","close":1,"volume":7}`,
    `{"symbol":"A\\u0042",${at},"close":1,"volume":0.7}`,
    `{"symbol":"A",${at},"close":9,"close":1,"volume":7}`,
  ])('passes as it stands: %s', async (line) => {
    const { values, messages } = await replayLines([line])
    expect(values).toEqual([line])
    expect(messages[0]?.key).toBe((JSON.parse(line) as { symbol: string }).symbol)
  })

  it('passes without the spaces and the carriage return around it', async () => {
    const line = `{"symbol":"A",${at},"close":1,"volume":7}`
    expect((await replayLines([`  ${line}\t\r`, '', ' \r', line])).values).toEqual([line, line])
  })
})

describe('another JSON line', () => {
  it.each([
    [`{"ticker":"A","time":"2026-02-14T14:30:05Z","price":1.50}`, '"2026-02-14T14:30:05Z","close":1.50,"volume":0'],
    [`{"sym":"A","ts":1771079405.5,"last":"1.50","qty":"0.10"}`, '"2026-02-14T14:30:05.5Z","close":1.50,"volume":0.10'],
    [`{"symbol":"A","timestamp":1771079405,"close":1,"volume":2}`, '"2026-02-14T14:30:05Z","close":1,"volume":2'],
    [`{"symbol":"A","timestamp":"1771079405250","close":1,"volume":2}`, '1771079405250,"close":1,"volume":2'],
    [`{"symbol":"A","timestamp":"2026-02-14","close":1,"volume":2}`, '"2026-02-14T00:00:00Z","close":1,"volume":2'],
    [`{"Symbol":"A",${at},"Close":1e2,"Volume":2}`, `"2026-02-14T14:30:05.250Z","close":1e2,"volume":2`],
    [`{"symbol":"A",${at},"open":null,"close":1,"volume":2}`, `"2026-02-14T14:30:05.250Z","close":1,"volume":2`],
    [`{"symbol":"A",${at},"close":1}`, `"2026-02-14T14:30:05.250Z","close":1,"volume":0`],
    [`{"price":3,"symbol":"A",${at},"close":1}`, `"2026-02-14T14:30:05.250Z","close":1,"volume":0`],
  ])('becomes a message with its digits: %s', async (line, rest) => {
    expect((await replayLines([line])).values).toEqual([`{"symbol":"A","timestamp":${rest}}`])
  })

  it('may have a number as its symbol', async () => {
    const { messages } = await replayLines([`{"symbol":7203,${at},"close":1,"volume":0}`])
    expect(messages).toMatchObject([{ key: '7203', value: expect.stringContaining('"symbol":"7203"') }])
  })

  it('is mapped by paths into what it holds', async () => {
    const mapping: FieldMapping = new Map([
      ['symbol', 'raw.data.s'],
      ['close', 'raw.data.p'],
      ['volume', 'raw.data.q'],
      ['timestamp', 'at'],
    ])
    const lines = [
      '{"at":1771079405250,"raw":{"stream":"t","data":{"s":"BTCUSDT","p":"61837.63000000","q":"0.02000000","close":1}}}',
      '{"at":1771079405250,"symbol":"X","close":5,"raw":{"data":{"s":"ETHUSDT","q":null,"p":2683.80}}}',
      '{"at":1771079405250,"raw":{"data":{"s":"ETHUSDT","B":"3"}}}',
      '{"at":1771079405250,"raw":[{"data":{}}]}',
    ]
    const { values, rejected, lines: told } = await replayLines(lines, { mapping })
    expect(values).toEqual([
      '{"symbol":"BTCUSDT","timestamp":1771079405250,"close":61837.63000000,"volume":0.02000000}',
      '{"symbol":"ETHUSDT","timestamp":1771079405250,"close":2683.80,"volume":0}',
    ])
    expect(rejected).toBe(2)
    expect(told).toContainEqual(expect.stringMatching(/line 3 is skipped: no close$/))
  })

  it('gets the symbol that it is told', async () => {
    const { values } = await replayLines([`{"symbol":"A",${at},"close":1,"volume":2}`], { symbol: 'B' })
    expect(values).toEqual(['{"symbol":"B","timestamp":"2026-02-14T14:30:05.250Z","close":1,"volume":2}'])
  })

  it('may have its members in any order, from line to line', async () => {
    const { values } = await replayLines([
      `{"symbol":"A",${at},"price":1}`,
      `{"price":2,"symbol":"A",${at}}`,
      `{"symbol":"A","price":3,"x":1,${at}}`,
      `{"symb\\u006fl":"A","price":4,${at}}`,
    ])
    expect(values.map((value) => JSON.parse(value).close)).toEqual([1, 2, 3, 4])
  })
})

describe('a bad JSON line', () => {
  it.each([
    ['{"symbol":"A"', /no JSON: byte 14: /],
    ['not json', /no JSON: byte 2: /],
    ['[1,2]', /a JSON array, not an object/],
    ['"text"', /a JSON string, not an object/],
    [`{"symbol":"A",${at},"volume":1}`, /no close/],
    [`{"symbol":"A",${at},"close":null,"volume":1}`, /no close/],
    [`{"symbol":"",${at},"close":1}`, /no symbol/],
    ['{"symbol":"A","close":1}', /no timestamp/],
    ['{"symbol":"A","timestamp":"soon","close":1}', /its timestamp 'soon' is neither/],
    [`{"symbol":"A",${at},"close":"x"}`, /its close 'x' is no number/],
    [`{"symbol":"A",${at},"close":[1]}`, /its close is a JSON array/],
    [`{"symbol":true,${at},"close":1}`, /its symbol is a JSON true/],
    [`{"symbol":"A",${at},"close":1}}`, /no JSON: byte \d+: more after the end/],
  ])('is told and skipped: %s', async (line, problem) => {
    const good = `{"symbol":"G",${at},"close":1,"volume":1}`
    const { values, lines, rejected } = await replayLines([good, line, good])
    expect(values).toEqual([good, good])
    expect(rejected).toBe(1)
    expect(lines).toContainEqual(expect.stringMatching(/^warning: .* line 2 is skipped: /))
    expect(lines).toContainEqual(expect.stringMatching(problem))
  })

  it('of more than 65,536 bytes is rewritten without what is not needed', async () => {
    const line = `{"symbol":"A",${at},"close":1,"volume":1,"pad":"${'x'.repeat(70_000)}"}`
    expect((await replayLines([line])).values).toEqual([
      '{"symbol":"A","timestamp":"2026-02-14T14:30:05.250Z","close":1,"volume":1}',
    ])
  })
})
