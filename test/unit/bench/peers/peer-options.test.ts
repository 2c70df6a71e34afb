import { describe, expect, it } from 'vitest'
import { versionsOf } from '../../../../bench/peers/build.ts'
import { contenderNames, contenders } from '../../../../bench/peers/contenders.ts'
import { parseOptions, UsageError } from '../../../../bench/peers/peer-options.ts'

describe('options', () => {
  it('are a million messages, three rounds and everybody', () => {
    expect(parseOptions([])).toEqual({
      messages: 1_000_000,
      rounds: 3,
      peers: contenderNames,
      shapes: ['narrow', 'wide'],
      json: undefined,
    })
  })

  it('choose contenders and topics, each once, in the usual order', () => {
    const { peers, shapes } = parseOptions(['--peers', 'flink,market-kpi,flink', '--shapes', 'wide'])
    expect(peers).toEqual(['market-kpi', 'flink'])
    expect(shapes).toEqual(['wide'])
  })

  it.each([
    [['--messages', '999'], '--messages 999: must be a whole number from 1000'],
    [['--rounds', '0'], '--rounds 0: must be'],
    [['--rounds', '1.5'], '--rounds 1.5: must be'],
    [['--peers', 'flink,spark'], "--peers: no 'spark'; there are market-kpi, "],
    [['--shapes', ''], "--shapes: no ''; there are narrow, wide"],
    [['--speed', 'max'], 'speed'],
  ])('%j are refused in one line', (args, told) => {
    expect(() => parseOptions(args)).toThrow(UsageError)
    expect(() => parseOptions(args)).toThrow(told)
  })
})

it('every contender but market-kpi has versions, and they are pinned', () => {
  for (const name of contenderNames) {
    const wanted = name === 'market-kpi' ? /^$/ : /^[A-Z][\w -]*\d+\.\d+\.\d+$/i
    expect(versionsOf(contenders[name])).toMatch(wanted)
  }
})
