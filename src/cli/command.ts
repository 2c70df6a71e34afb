import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Config, loadConfig } from '../config/load.ts'
import type { Setting } from '../config/setting.ts'
import { type SettingName, settings } from '../config/settings.ts'
import { thresholdsOf } from '../config/thresholds.ts'
import { assert, KpiError, messageOf } from '../errors.ts'
import { createLogger, type Logger } from '../log.ts'
import { announceFailure } from '../process/ready-signal.ts'
import { defaultDataDir } from '../stack/data-dir.ts'
import { type DatabaseAccess, findStackSettings } from '../stack/running-stack.ts'
import { exitUnknown } from './exit-codes.ts'

/** How the exit codes of a command are read: those that check something keep 1 and 2 for what they found. */
export type ExitStyle = 'work' | 'check'

type Action = (...args: never[]) => Promise<number | undefined> | Promise<void>

/**
 * Ends the process as CONTRACT §3 says: an error of the world is one line on stderr and its exit code (3 for a
 * command that checks). Anything else is our own mistake, and ends with its stack.
 */
export function withErrors<A extends Action>(
  action: A,
  style: ExitStyle | (() => ExitStyle) = 'work',
): (...args: Parameters<A>) => Promise<void> {
  return async (...args) => {
    try {
      const code = await action(...args)
      process.exitCode = code ?? 0
    } catch (error) {
      if (!(error instanceof KpiError)) throw error
      process.stderr.write(`${messageOf(error)}\n`)
      announceFailure(error)
      const isCheck = (typeof style === 'function' ? style() : style) === 'check'
      process.exitCode = isCheck ? exitUnknown : error.exitCode
    }
  }
}

/** An option that is a setting too: what it is given wins over environment and files. */
class SettingOption extends Option {
  readonly settingName: SettingName

  constructor(settingName: SettingName) {
    const { flag, env, default: fallback, description }: Setting<unknown> = settings[settingName]
    assert(flag !== undefined, `a flag of the setting ${env}`)
    const [long = '', argument = 'VALUE'] = flag.split(' ')
    const told = fallback === undefined ? `env: ${env}` : `default: ${fallback}, env: ${env}`
    super(`${long} <${argument.toLowerCase()}>`, `${description} (${told})`)
    this.settingName = settingName
  }
}

/** Adds the options of a command that are settings, with their defaults and environment names. */
export function addSettingOptions(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) command.addOption(new SettingOption(name))
  return command
}

/** The option by which a command finds the servers of a running `up`. */
class StackOption extends Option {
  readonly access: () => DatabaseAccess

  constructor(access: () => DatabaseAccess) {
    super('--data-dir <dir>', 'data directory of a running `up`, whose servers are used if none are configured')
    this.access = access
    this.default(defaultDataDir)
  }
}

/**
 * Lets a command work on the servers of a running `up` when the settings name none: {@link configure} finds them.
 *
 * @param access - The least that the command needs; a function where that depends on its options.
 */
export function addStackOption(command: Command, access: DatabaseAccess | (() => DatabaseAccess)): Command {
  return command.addOption(new StackOption(typeof access === 'function' ? access : () => access))
}

/**
 * The configuration, with the flags of this command that are settings on top, and a log after it.
 *
 * @param env - Instead of the process's environment.
 * @throws KpiError `KPI_CONFIG_INVALID`.
 */
export function configure(command: Command, env?: NodeJS.ProcessEnv): { config: Config; log: Logger } {
  const flags: Partial<Record<SettingName, string>> = {}
  for (const option of command.options) {
    const value: unknown = option instanceof SettingOption ? command.getOptionValue(option.attributeName()) : undefined
    if (option instanceof SettingOption && typeof value === 'string') flags[option.settingName] = value
  }
  const config = joinStack(command, { flags, env: env ?? process.env })
  // Thresholds that contradict each other are wrong values, whether this command judges by them or not.
  thresholdsOf(config)
  return {
    config,
    log: createLogger({ level: config.logLevel, format: config.logFormat, colour: isColourful(process.stderr) }),
  }
}

/** The settings, and those of a running `up` where the command may use it and they name no servers. */
function joinStack(
  command: Command,
  given: { flags: Partial<Record<SettingName, string>>; env: NodeJS.ProcessEnv },
): Config {
  const named = loadConfig(given)
  const option = command.options.find((option) => option instanceof StackOption)
  if (option === undefined) return named
  const dataDir = String(command.getOptionValue(option.attributeName()))
  const stack = findStackSettings(named, { dataDir, access: option.access() })
  if (stack === undefined) return named
  // A wrong option is told first, so this waits until somebody needs a server.
  if (stack instanceof KpiError) return { ...named, missingServers: stack }
  const { servers, names, file } = stack
  return loadConfig({ ...given, env: { ...given.env, ...servers }, fallback: { values: names, file } })
}

/** https://no-color.org, and no colours where nobody looks. */
export function isColourful(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
}

/** Parses an option that is a whole number, as commander wants it. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`)
  }
}
