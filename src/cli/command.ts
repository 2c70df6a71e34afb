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

/** What the exit codes of a command mean. Commands that check something use 1 and 2 for the result of the check. */
export type ExitStyle = 'work' | 'check'

type Action = (...args: never[]) => Promise<number | undefined> | Promise<void>

/**
 * Ends the process as CONTRACT §3 describes. A KpiError prints one line to stderr and sets its exit code (3 for a
 * command that checks). Any other error is a bug, and prints its stack.
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

/** An option that is also a setting. Its value takes precedence over the environment and files. */
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

/** Adds the options for settings that a command has, with their defaults and environment variables. */
export function addSettingOptions(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) command.addOption(new SettingOption(name))
  return command
}

/** The option with which a command finds the servers of a running `up`. */
class StackOption extends Option {
  readonly access: () => DatabaseAccess

  constructor(access: () => DatabaseAccess) {
    super('--data-dir <dir>', 'data directory of a running `up`, whose servers are used if none are configured')
    this.access = access
    this.default(defaultDataDir)
  }
}

/**
 * Lets a command use the servers of a running `up` if the settings name none; {@link configure} finds them.
 *
 * @param access - The least privileged role that the command can use; a function if that depends on its options.
 */
export function addStackOption(command: Command, access: DatabaseAccess | (() => DatabaseAccess)): Command {
  return command.addOption(new StackOption(typeof access === 'function' ? access : () => access))
}

/**
 * Loads the configuration, including the setting options of this command, and creates its log.
 *
 * @param env - Replaces the environment of the process.
 * @throws KpiError `KPI_CONFIG_INVALID`.
 */
export function configure(command: Command, env?: NodeJS.ProcessEnv): { config: Config; log: Logger } {
  const flags: Partial<Record<SettingName, string>> = {}
  for (const option of command.options) {
    const value: unknown = option instanceof SettingOption ? command.getOptionValue(option.attributeName()) : undefined
    if (option instanceof SettingOption && typeof value === 'string') flags[option.settingName] = value
  }
  const config = joinStack(command, { flags, env: env ?? process.env })
  // Reject contradictory thresholds even if this command does not use them.
  thresholdsOf(config)
  return {
    config,
    log: createLogger({ level: config.logLevel, format: config.logFormat, colour: isColourful(process.stderr) }),
  }
}

/** The settings, completed with those of a running `up` if the command may use it and the settings name no servers. */
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
  // Not thrown here, so that wrong options are reported first. The error is thrown when a server is needed.
  if (stack instanceof KpiError) return { ...named, missingServers: stack }
  const { servers, names, file } = stack
  return loadConfig({ ...given, env: { ...given.env, ...servers }, fallback: { values: names, file } })
}

/** Whether to use colours: only on a terminal, and not if the user disabled them (https://no-color.org). */
export function isColourful(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
}

/** Makes a commander parser for an option that is a whole number. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`)
  }
}
