import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addSettingOptions, configure, wholeNumber, withErrors } from '../../../src/cli/command.ts'
import { exitUnknown } from '../../../src/cli/exit-codes.ts'
import { KpiError } from '../../../src/errors.ts'

describe('withErrors', () => {
  let exitCodeBefore: typeof process.exitCode
  const written: string[] = []
  beforeEach(() => {
    exitCodeBefore = process.exitCode
    written.length = 0
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  })
  afterEach(() => {
    vi.restoreAllMocks()
    process.exitCode = exitCodeBefore
  })

  it.each<[string, number | undefined, number]>([
    ['nothing', undefined, 0],
    ['0', 0, 0],
    ['2', 2, 2],
  ])('ends with what the command returns: %s', async (_, code, exitCode) => {
    await withErrors(async () => code)()
    expect(process.exitCode).toBe(exitCode)
    expect(written).toEqual([])
  })

  it.each<[string, 'work' | 'check', KpiError, number]>([
    ['1 after a failure', 'work', new KpiError('KPI_PORT_BUSY', 'the port is taken'), 1],
    ['2 after wrong usage', 'work', new KpiError('KPI_USAGE', 'no such thing'), 2],
    ['3 when a check could not be made', 'check', new KpiError('KPI_CONFIG_INVALID', 'wrong'), exitUnknown],
  ])('ends with %s, and one line', async (_, style, error, exitCode) => {
    await withErrors(() => Promise.reject<void>(error), style)()
    expect(process.exitCode).toBe(exitCode)
    expect(written).toEqual([`${error.message}\n`])
  })

  it('makes one line of several', async () => {
    await withErrors(() => Promise.reject<void>(new KpiError('KPI_POSTGRES_QUERY', 'one\n  two\n\nthree')))()
    expect(written).toEqual(['one two three\n'])
  })

  it('leaves our own mistakes alone', async () => {
    await expect(withErrors(() => Promise.reject<void>(new TypeError('a bug')))()).rejects.toThrow('a bug')
    expect(written).toEqual([])
  })
})

describe('options that are settings', () => {
  /** What the command gets from these arguments and this environment. */
  function read(args: string[], env: NodeJS.ProcessEnv) {
    const command = addSettingOptions(new Command('x').exitOverride(), ['batchSize', 'kafkaTopic', 'logLevel'])
    command.parse(args, { from: 'user' })
    return configure(command, { LOG_LEVEL: 'silent', ...env }).config
  }

  it('win over the environment, which wins over the default', () => {
    expect(read([], {}).batchSize).toBe(10_000)
    expect(read([], { BATCH_SIZE: '20' }).batchSize).toBe(20)
    expect(read(['--batch-size', '30'], { BATCH_SIZE: '20' })).toMatchObject({
      batchSize: 30,
      kafkaTopic: 'market-prices',
    })
  })

  it('are named as they were given when they are wrong', () => {
    expect(() => read(['--batch-size=x'], {})).toThrow('--batch-size=x: must be a whole number from 1 to 1000000')
    expect(() => read([], { BATCH_SIZE: 'x' })).toThrow('BATCH_SIZE=x: must be a whole number from 1 to 1000000')
  })

  it('show default and environment name in the help', () => {
    const command = addSettingOptions(new Command('x').configureHelp({ helpWidth: 200 }), [
      'batchSize',
      'kafkaBootstrapServers',
    ])
    expect(command.helpInformation()).toMatch(/--batch-size <rows> .*\(default: 10000, env: BATCH_SIZE\)/)
    expect(command.helpInformation()).toMatch(/--bootstrap-servers <host:port,…> .*\(env: KAFKA_BOOTSTRAP_SERVERS\)/)
  })
})

describe('wholeNumber', () => {
  const parse = wholeNumber(1, 64)

  it.each([
    ['1', 1],
    ['64', 64],
    ['007', 7],
  ])('takes %s', (text, value) => {
    expect(parse(text)).toBe(value)
  })

  it.each(['', '0', '65', '-1', '1.5', '1e1', ' 1', 'x', '9'.repeat(20)])("refuses '%s'", (text) => {
    expect(() => parse(text)).toThrow('must be a whole number from 1 to 64')
  })
})
