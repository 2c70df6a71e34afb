import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parse as parseDotenv } from 'dotenv'
import { KpiError, messageOf } from '../errors.ts'
import { readSettingsFile } from './read-settings-file.ts'
import type { Setting } from './setting.ts'
import { type SettingName, settings } from './settings.ts'
import { parseUserRules, type UserRule } from './user-rules.ts'

const require = createRequire(import.meta.url)

type ValueOf<S> = S extends Setting<infer T> ? (S extends { readonly default: string } ? T : T | undefined) : never

/** Every setting with its checked value; `undefined` if it was not given and has no default. */
export type Config = { readonly [N in SettingName]: ValueOf<(typeof settings)[N]> } & {
  /** Why no servers were found, if they were searched for. A command that needs them throws this error. */
  readonly missingServers?: KpiError
}

/** Where a value came from. `name` and `where` are shown in error messages: `NAME=value in .env`. */
interface Source {
  readonly name: (setting: Setting<unknown>) => string
  readonly where: string
  readonly read: (setting: Setting<unknown>, key: SettingName) => string | undefined
}

/**
 * Loads the settings. In order of precedence: flags, the environment, `.env`, `market-kpi.yaml`, defaults. An empty
 * value in the environment or `.env` counts as not set.
 *
 * @param given.fallback - Variables that only take precedence over defaults, and the file that holds them.
 * @throws KpiError `KPI_CONFIG_INVALID` with the variable, the value (unless it is a secret) and what is allowed.
 */
export function loadConfig(given: {
  flags?: Partial<Record<SettingName, string>>
  env?: Record<string, string | undefined>
  directory?: string
  fallback?: { readonly values: Readonly<Record<string, string>>; readonly file: string }
}): Config {
  const directory = given.directory ?? process.cwd()
  const sources = [
    flagSource(given.flags ?? {}),
    textSource(given.env ?? process.env, ''),
    textSource(readDotenv(directory), ' in .env'),
    yamlSource(directory),
    ...(given.fallback ? [textSource(given.fallback.values, ` in ${given.fallback.file}`)] : []),
  ]
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(settings) as [SettingName, Setting<unknown>][]) {
    values[key] = readSetting(setting, key, sources)
  }
  return values as Config
}

function readSetting(setting: Setting<unknown>, key: SettingName, sources: readonly Source[]): unknown {
  for (const source of sources) {
    const found = source.read(setting, key)
    if (found === undefined) continue
    const parsed = setting.parse.safeParse(found)
    if (parsed.success) return parsed.data
    const shown = `${source.name(setting)}=${setting.secret ? '(hidden)' : found}${source.where}`
    const problem = setting.secret ? undefined : setting.problem?.(found)
    const why = problem === undefined ? '' : `${problem}; `
    throw new KpiError('KPI_CONFIG_INVALID', `${shown}: ${why}must be ${setting.allowed}`)
  }
  return setting.default === undefined ? undefined : setting.parse.parse(setting.default)
}

function flagSource(flags: Partial<Record<SettingName, string>>): Source {
  return { name: ({ flag, env }) => flag?.split(' ')[0] ?? env, where: '', read: (_, key) => flags[key] }
}

function textSource(values: Readonly<Record<string, string | undefined>>, where: string): Source {
  return { name: ({ env }) => env, where, read: ({ env }) => values[env]?.trim() || undefined }
}

function readDotenv(directory: string): Record<string, string> {
  return parseDotenv(readFile(directory, '.env') ?? '')
}

const yamlFile = 'market-kpi.yaml'
/** This section holds rules rather than a setting. */
const alertsSection = 'alerts'

/**
 * Loads the alert rules of `market-kpi.yaml`.
 *
 * @param taken - Names that rules must not have.
 * @throws KpiError `KPI_CONFIG_INVALID` with the rule and what is wrong with it.
 */
export function loadUserRules(taken: readonly string[], directory = process.cwd()): UserRule[] {
  return parseUserRules(readYaml(directory)[alertsSection], taken)
}

function yamlSource(directory: string): Source {
  const values = readYaml(directory)
  const settingOf = new Map(Object.values(settings).map((setting) => [setting.env.toLowerCase(), setting]))
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (name === alertsSection) continue
    const setting: Setting<unknown> | undefined = settingOf.get(name)
    if (!setting) throw invalidYaml(`no setting is called '${name}'; see docs/configuration.md`)
    const parts: unknown[] = Array.isArray(value) ? value : [value]
    if (!parts.every((part) => typeof part === 'string')) throw invalidYaml(`${name} must be ${setting.allowed}`)
    const text = parts.join(',')
    if (text !== 'null' && text !== '~') texts[setting.env] = text
  }
  return { ...textSource(texts, ` in ${yamlFile}`), name: ({ env }) => env.toLowerCase() }
}

/** Reads scalars as their original text, so that a password of digits keeps its leading zeros. */
function readYaml(directory: string): Record<string, unknown> {
  const text = readFile(directory, yamlFile)
  if (text === undefined) return {}
  // Loaded only if there is a file to parse, because that takes longer than the rest of the configuration.
  const { parseDocument } = require('yaml') as typeof import('yaml')
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: true })
  const [error] = document.errors
  // The parser's own message quotes the line, which may contain a secret.
  if (error) throw invalidYaml(`line ${error.linePos?.[0].line ?? '?'} is not valid YAML (${error.code})`)
  let values: unknown
  try {
    values = document.toJS() ?? {}
  } catch {
    throw invalidYaml('an alias (*NAME) in it leads nowhere')
  }
  if (typeof values === 'object' && !Array.isArray(values)) return values as Record<string, unknown>
  throw invalidYaml('must hold settings as NAME: VALUE')
}

function invalidYaml(why: string): KpiError {
  return new KpiError('KPI_CONFIG_INVALID', `${yamlFile}: ${why}`)
}

/** @returns undefined if the file does not exist. */
function readFile(directory: string, name: string): string | undefined {
  try {
    return readSettingsFile(join(directory, name))
  } catch (error) {
    throw new KpiError('KPI_CONFIG_INVALID', `${name} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
