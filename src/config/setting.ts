import { z } from 'zod'

/**
 * One setting: where it can be given, which values are allowed, and what it means. The types, defaults, help texts
 * and docs/configuration.md are all generated from these objects.
 */
export interface Setting<T> {
  /** Its name in the environment and in `.env`. In market-kpi.yaml it is the same in lower case. */
  readonly env: string
  /** Its flag with the argument's name, for commands that have it: `--batch-size ROWS`. */
  readonly flag?: string
  /** The allowed values, as in "must be a whole number from 1 to 86400". */
  readonly allowed: string
  /** The default in text form; absent if there is none. */
  readonly default?: string
  readonly description: string
  /** Never printed in any form. */
  readonly secret?: boolean
  /** For a text with a syntax of its own: what is wrong with it, or undefined if it is valid. */
  readonly problem?: (value: string) => string | undefined
  readonly parse: z.ZodType<T, string>
}

interface SettingText {
  env: string
  flag?: string
  description: string
  secret?: boolean
}

type Given<T> = Setting<T> & { readonly default: string }

export function whole(told: SettingText & { min: number; max: number; default: number }): Given<number> {
  const { min, max, default: fallback, ...rest } = told
  const parse = z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().int().min(min).max(max))
  return { ...rest, default: String(fallback), allowed: `a whole number from ${min} to ${max}`, parse }
}

export function decimal(told: SettingText & { min: number; max: number; default: number }): Given<number> {
  const { min, max, default: fallback, ...rest } = told
  const parse = z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
  return { ...rest, default: String(fallback), allowed: `a number from ${min} to ${max}`, parse }
}

export function choice<const C extends readonly [string, ...string[]]>(
  told: SettingText & { of: C; default: C[number] },
): Given<C[number]> {
  const { of, ...rest } = told
  return { ...rest, allowed: `one of ${of.join(', ')}`, parse: z.enum(of) as unknown as z.ZodType<C[number], string> }
}

export function text(told: SettingText & { default: string; pattern?: RegExp; allowed?: string }): Given<string> {
  const { pattern, allowed, ...rest } = told
  return { ...rest, allowed: allowed ?? 'text', parse: pattern ? z.string().regex(pattern) : z.string().min(1) }
}

export function optionalText(told: SettingText & { pattern?: RegExp; allowed?: string }): Setting<string> {
  const { pattern, allowed, ...rest } = told
  return { ...rest, allowed: allowed ?? 'text', parse: pattern ? z.string().regex(pattern) : z.string().min(1) }
}
