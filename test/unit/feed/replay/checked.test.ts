// What the feed sends is what the consumer accepts: it asks the same decoder, except where the answer is certain.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageDecoder } from '../../../../src/kpi/decode/message.ts'
import { SimulatedClock } from '../../../simulated-clock.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'
import { fileRunsTimeoutMs, propertyRuns } from '../../kpi/property-runs.ts'
import { replay, write } from './files.ts'

const nowMs = Date.UTC(2026, 1, 16, 15, 0)
const maxFutureSeconds = 60

function rejection(value: string): string | undefined {
  const bytes = Buffer.from(value)
  return new MessageDecoder({ maxFutureSeconds, decimals: 8 }).decode(bytes, 0, bytes.length, nowMs)
}

const numberText = fc.oneof(
  fc.constantFrom('', '0', '-0', '1', '-1', '12.5', '0.00000001', '1e3', '1e15', '999999999999999', '1000000000000000'),
  fc.constantFrom('1234567890', '-123456789', '0.12345678', '0.123456789', '.5', '007', 'NaN', 'x', '1e400', '-1e-9'),
)
const symbolText = fc.constantFrom('A', 'BRK.B', 'A B', 'M'.repeat(32), 'M'.repeat(33), 'Ä', '"q"')
const timeText = fc.constantFrom(
  '2026-02-14T14:30:05Z',
  '2026-02-14 14:30:05.250',
  '1771079405250',
  '2026-02-16T15:01:00Z',
  '2026-02-16T15:01:00.000001Z',
  '1771254060001',
  '2999-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
)
const line = fc.tuple(symbolText, timeText, numberText, numberText, numberText)

describe('the messages that are sent', () => {
  it.each(['csv', 'json'])(
    'are all accepted by the consumer, and no other is counted as sent: %s',
    async (form) => {
      await fc.assert(
        fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), async (lines) => {
          using folder = temporaryFolder()
          const good = ['GOOD', '2026-02-14T14:30:05Z', '1', '1', '1'] as const
          const all = [good, ...lines]
          const text =
            form === 'csv'
              ? ['symbol,timestamp,open,close,volume', ...all.map((fields) => fields.map(quoted).join(','))].join('\n')
              : all.map(jsonLine).join('\n')
          const { values, rejected } = await replay(write(folder.path, text), {
            clock: new SimulatedClock({ isEager: true, wallMs: nowMs }),
            maxFutureSeconds,
          })
          expect(values.map(rejection)).toEqual(values.map(() => undefined))
          expect(values.length + rejected).toBe(all.length)
        }),
        { ...propertyRuns, numRuns: Math.min(100, propertyRuns.numRuns) },
      )
    },
    fileRunsTimeoutMs,
  )

  it('are those before the latest time that is accepted, to the microsecond', async () => {
    using folder = temporaryFolder()
    const lines = ['2026-02-16T15:01:00Z', '2026-02-16T15:01:00.000001Z', '1771254060000', '1771254060001']
    const text = `symbol,timestamp,close\n${lines.map((time) => `A,${time},1\n`).join('')}`
    const found = await replay(write(folder.path, text), {
      clock: new SimulatedClock({ isEager: true, wallMs: nowMs }),
      maxFutureSeconds,
    })
    expect(found.values.map((value) => JSON.parse(value).timestamp)).toEqual([
      '2026-02-16T15:01:00Z',
      1_771_254_060_000,
    ])
    expect(found.lines.filter((told) => /is skipped: future_timestamp/.test(told))).toHaveLength(2)
  })
})

describe('digits that the database rounds away', () => {
  async function told(rows: readonly string[], decimals = 8): Promise<string[]> {
    using folder = temporaryFolder()
    const text = `symbol,timestamp,close,volume\n${rows.map((row) => row.replace(',', ',2026-02-14T14:30:05Z,')).join('\n')}\n`
    const { lines } = await replay(write(folder.path, text), { decimals })
    return lines.filter((told) => told.includes('DECIMALS')).map((told) => told.replace(/^.*\.csv: /, ''))
  }

  it('are reported once for each symbol, with the setting that keeps them', async () => {
    expect(
      await told(['TINY,0.000000123456,1', 'TINY,0.0000001234567,1', 'TINY,0.00000012,1', 'OTHER,1e-9,1']),
    ).toEqual([
      'TINY: its close 0.0000001234567 has digits that DECIMALS=8 rounds away: DECIMALS=13 keeps them; rebuild --all changes it',
      'OTHER: its close 1e-9 has digits that DECIMALS=8 rounds away: DECIMALS=9 keeps them; rebuild --all changes it',
    ])
  })

  it('are not reported where they change less than a ten-thousandth, or are kept', async () => {
    expect(await told(['A,0.0012345678,1', 'B,8.649999618530273,0.3333333333', 'C,0.00005,0'])).toEqual([])
    expect(await told(['TINY,0.000000123456,1'], 12)).toEqual([])
  })

  it('may be more than any setting keeps', async () => {
    const [text] = await told(['TINY,1e-30,1'])
    expect(text).toContain('no setting of DECIMALS keeps them')
  })
})

/** A number where the text is one for JSON. */
function jsonLine([symbol, timestamp, open, close, volume]: readonly string[]): string {
  const value = (text = '') => (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? text : JSON.stringify(text))
  const members = [`"open":${value(open)}`, `"close":${value(close)}`, `"volume":${value(volume)}`]
  return `{"symbol":${JSON.stringify(symbol)},"timestamp":${value(timestamp)},${members.join(',')}}`
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
