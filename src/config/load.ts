import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseDotenv } from 'dotenv'
import { parse as parseYaml } from 'yaml'
import { KpiError, messageOf } from '../errors.ts'
import type { Setting } from './setting.ts'
import { type SettingName, settings } from './settings.ts'

type ValueOf<S> = S extends Setting<infer T> ? (S extends { readonly default: string } ? T : T | undefined) : never

/** Every setting with its checked value; `undefined` where none was given and there is no default. */
export type Config = { readonly [N in SettingName]: ValueOf<(typeof settings)[N]> }

/** What a value came from, in the words of an error line. */
interface Source {
  readonly name: (setting: Setting<unknown>, key: SettingName) => string
  readonly read: (setting: Setting<unknown>, key: SettingName) => string | undefined
}

/**
 * Flags win over the environment, that over `.env`, that over `market-kpi.yaml`, that over defaults. An empty value in
 * the environment or `.env` counts as not set.
 *
 * @throws KpiError `KPI_CONFIG_INVALID` naming the variable, the value (unless it is a secret) and what is allowed.
 */
export function loadConfig(given: {
  flags?: Partial<Record<SettingName, string>>
  env?: Record<string, string | undefined>
  directory?: string
}): Config {
  const directory = given.directory ?? process.cwd()
  const sources = [
    flagSource(given.flags ?? {}),
    textSource(given.env ?? process.env, ''),
    textSource(readDotenv(join(directory, '.env')), ' in .env'),
    yamlSource(join(directory, 'market-kpi.yaml')),
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
    const shown = setting.secret ? '(hidden)' : found
    throw new KpiError('KPI_CONFIG_INVALID', `${source.name(setting, key)}=${shown}: must be ${setting.allowed}`)
  }
  return setting.default === undefined ? undefined : setting.parse.parse(setting.default)
}

function flagSource(flags: Partial<Record<SettingName, string>>): Source {
  return { name: (setting) => setting.flag?.split(' ')[0] ?? setting.env, read: (_, key) => flags[key] }
}

function textSource(values: Record<string, string | undefined>, where: string): Source {
  return {
    name: (setting) => `${setting.env}${where}`,
    read: (setting) => values[setting.env]?.trim() || undefined,
  }
}

function readDotenv(path: string): Record<string, string> {
  return existsSync(path) ? parseDotenv(readFileSync(path)) : {}
}

function yamlSource(path: string): Source {
  const values = existsSync(path) ? readYaml(path) : {}
  const known = new Set(Object.values(settings).map((setting) => setting.env.toLowerCase()))
  const unknown = Object.keys(values).find((name) => !known.has(name))
  if (unknown !== undefined) {
    throw new KpiError(
      'KPI_CONFIG_INVALID',
      `market-kpi.yaml: no setting is called '${unknown}'; see docs/configuration.md`,
    )
  }
  return {
    name: (setting) => `${setting.env.toLowerCase()} in market-kpi.yaml`,
    read: (setting) => {
      const value = values[setting.env.toLowerCase()]
      if (value === undefined || value === null) return undefined
      return Array.isArray(value) ? value.join(',') : String(value)
    },
  }
}

function readYaml(path: string): Record<string, unknown> {
  try {
    const document: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {}
    if (typeof document === 'object' && !Array.isArray(document)) return document as Record<string, unknown>
  } catch (error) {
    throw new KpiError('KPI_CONFIG_INVALID', `market-kpi.yaml: ${messageOf(error)}`, { cause: error })
  }
  throw new KpiError('KPI_CONFIG_INVALID', 'market-kpi.yaml: must hold settings as NAME: VALUE')
}
