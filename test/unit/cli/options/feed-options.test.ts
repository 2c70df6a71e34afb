import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addSettingOptions } from '../../../../src/cli/command.ts'
import { addFeedOptions, checkFeedOptions } from '../../../../src/cli/options/feed-options.ts'
import type { ReplayFlags } from '../../../../src/feed/replay/replay-options.ts'
import type { SimulateFlags } from '../../../../src/feed/simulate/simulate-feed.ts'
import { parseSource } from '../../../../src/feed/sources/registry.ts'

function parsed(args: readonly string[]): Command {
  const command = addSettingOptions(addFeedOptions(new Command('feed')), ['symbols'])
  command.exitOverride().configureOutput({ writeErr: () => undefined })
  return command.parse(args, { from: 'user' })
}

function flags(source: 'simulate' | 'replay', ...args: string[]): SimulateFlags & ReplayFlags {
  const command = parsed(args)
  checkFeedOptions(command, parseSource(source === 'simulate' ? source : `${source}:FILE`).source)
  return command.opts<SimulateFlags & ReplayFlags>()
}

describe('the options of a feed', () => {
  it('have defaults', () => {
    expect(flags('simulate')).toMatchObject({
      rate: 50,
      count: Number.POSITIVE_INFINITY,
      disorder: 0,
      duplicates: 0,
      bad: 0,
      pauseEvery: Number.POSITIVE_INFINITY,
      compression: 'none',
    })
    expect(flags('replay')).toMatchObject({ speed: Number.POSITIVE_INFINITY })
  })

  it('are read', () => {
    const simulated = flags('simulate', '--rate', '0.1', '--count', '7', '--bad', '0.05', '--pause-every', '1.5')
    expect(simulated).toMatchObject({ rate: 0.1, count: 7, bad: 0.05, pauseEvery: 1.5 })
    expect(flags('simulate', '--rate', 'max').rate).toBe(Number.POSITIVE_INFINITY)
    const replayed = flags('replay', '--speed', '10', '--map', 'close=data.p,symbol=s', '--symbol', 'A', '--from-start')
    expect(replayed).toMatchObject({ speed: 10, symbol: 'A', fromStart: true })
    expect([...(replayed.map ?? [])]).toEqual([
      ['close', 'data.p'],
      ['symbol', 's'],
    ])
  })

  it.each([
    ['--rate', '0'],
    ['--rate', '0.09'],
    ['--rate', '500001'],
    ['--rate', '1e3'],
    ['--rate', 'fast'],
    ['--count', '0'],
    ['--count', '1.5'],
    ['--disorder', '1.1'],
    ['--bad', '-1'],
    ['--pause-every', '0'],
    ['--speed', '0'],
    ['--speed', 'slow'],
    ['--map', 'close'],
    ['--map', 'close='],
    ['--map', 'a=b=c'],
    ['--symbol', 'A B'],
    ['--symbol', ''],
    ['--compression', 'rar'],
  ])('are refused when they make no sense: %s %s', (option, value) => {
    expect(() => parsed([option, value])).toThrow(/must be|Allowed choices/)
  })

  it('do not fit together', () => {
    expect(() => parsed(['--shift-to-now', '--keep-timestamps'])).toThrow(/cannot be used with/)
  })

  it.each([
    ['simulate', '--speed', '1', '--speed belongs to the source replay:FILE, not to simulate'],
    ['simulate', '--from-start', '', '--from-start belongs to the source replay:FILE, not to simulate'],
    ['replay', '--rate', '1', '--rate belongs to the source simulate, not to replay'],
    ['replay', '--symbols', 'A,B', '--symbols belongs to the source simulate, not to replay'],
  ] as const)('that belong to another source are refused: %s %s', (source, option, value, message) => {
    expect(() => flags(source, option, ...(value === '' ? [] : [value]))).toThrow(
      expect.objectContaining({ code: 'KPI_USAGE', message }),
    )
  })
})
