import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { recordOptions } from '../../../../src/cli/options/feed-options.ts'
import { type ReplayFlags, readOptions, replayOptions } from '../../../../src/feed/replay/replay-options.ts'

function parsed(...words: string[]): { flags: ReplayFlags; given: readonly string[] } {
  const command = new Command('feed').exitOverride().configureOutput({ writeErr: () => undefined })
  const options = replayOptions()
  for (const option of options) command.addOption(option)
  const given = recordOptions(command, options)
  command.parse(words, { from: 'user' })
  return { flags: command.opts<ReplayFlags>(), given }
}

const usage = (message: RegExp) =>
  expect.objectContaining({ code: 'KPI_USAGE', exitCode: 2, message: expect.stringMatching(message) })

describe('the options of a replay', () => {
  it('say how a file is read', () => {
    const { flags } = parsed(
      ...['--columns', '-,symbol,date,time,close', '--decimal', ',', '--thousands', '.', '--skip-lines', '3'],
      ...['--bar-time', 'end', '--bar-seconds', '300', '--time-format', 'excel', '--time-zone', 'Asia/Tokyo'],
    )
    expect(readOptions(flags)).toMatchObject({
      columns: [undefined, 'symbol', 'timestamp', 'clock', 'close'],
      signs: { decimal: ',', thousands: '.' },
      skipLines: 3,
      barSeconds: 300,
      timeFormat: { kind: 'excel' },
      timeZone: { name: 'Asia/Tokyo' },
    })
    expect(readOptions(parsed().flags)).toMatchObject({ columns: undefined, signs: undefined, skipLines: 0 })
  })

  it('are handed on as they were given', () => {
    const words = ['--speed', '10', '--map', 'timestamp=Date+Time (UTC)', '--shift-to-now', '--columns', '-,close']
    // Columns and a mapping conflict, which is not the matter here.
    const wanted = words.slice(0, 5)
    expect(parsed(...wanted).given).toEqual(wanted)
    expect(parsed().given).toEqual([])
  })

  it.each([
    [['--bar-time', 'end'], /--bar-time end and --bar-seconds belong together/],
    [['--bar-seconds', '60'], /belong together/],
    [['--thousands', '.'], /--thousands \. needs another decimal sign: --decimal ,/],
    [['--time-zone', 'Mars/Olympus'], /there is no such zone/],
    [['--time-format', 'epoch'], /is no part of a time/],
    [['--columns', 'timestamp,price'], /'price' is no column/],
    [['--columns', 'timestamp,volume'], /close is missing/],
    [['--columns', 'close,volume'], /timestamp is missing/],
    [['--columns', 'time,close'], /a time of day needs a date/],
    [['--columns', 'timestamp,date,close'], /use either timestamp or date and time/],
    [['--columns', 'timestamp,close,close'], /'close' is there twice/],
    [['--map', 'price=x'], /the fields are/],
  ])('that mean nothing are refused: %j', (words, message) => {
    expect(() => readOptions(parsed(...words).flags)).toThrow(usage(message))
  })

  it.each([
    [['--columns', 'timestamp,close', '--layout', 'stooq']],
    [['--columns', 'timestamp,close', '--map', 'close=x']],
    [['--layout', 'nasdaq']],
    [['--skip-lines', '-1']],
    [['--bar-seconds', '0']],
    [['--decimal', ';']],
  ])('that are wrong are refused at once: %j', (words) => {
    expect(() => parsed(...words)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^commander\./) }))
  })
})
