import { z } from 'zod'

/**
 * One setting: where it may be given, what is allowed, what it means. Everything that shows settings (types, defaults,
 * help texts, docs/configuration.md) is made from these.
 */
export interface Setting<T> {
  /** Its name in the environment and in `.env`; in market-kpi.yaml the same in lower case. */
  readonly env: string
  /** Its flag, with the argument's name, where a command takes it: `--batch-size ROWS`. */
  readonly flag?: string
  /** In words, as in "must be a whole number from 1 to 86400". */
  readonly allowed: string
  /** The default as its text form; absent where there is none. */
  readonly default?: string
  readonly description: string
  /** Never printed, in whatever form. */
  readonly secret?: boolean
  /** Of a text with a grammar of its own: what is wrong with it; undefined when nothing is. */
  readonly problem?: (value: string) => string | undefined
  /** From text to value. */
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
