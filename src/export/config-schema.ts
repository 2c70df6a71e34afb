import { z } from 'zod'
import type { Setting } from '../config/setting.ts'
import { settings } from '../config/settings.ts'
import { userRulesSection } from '../config/user-rules.ts'

type Schema = z.core.JSONSchema.BaseSchema

/**
 * Builds the JSON schema of market-kpi.yaml for editors, with the description and allowed values of each setting, from
 * the same list that is used to read the file. Rules that a schema cannot express, such as that the warning limit must
 * be below the critical one, are checked when the file is read.
 */
export function configSchema(): Schema {
  const all = Object.values(settings).map((setting: Setting<unknown>) => [setting.env.toLowerCase(), property(setting)])
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'market-kpi.yaml',
    type: 'object',
    additionalProperties: false,
    properties: { ...Object.fromEntries(all), alerts: alertsSchema() },
  }
}

function property({ parse, description, allowed, default: fallback, secret }: Setting<unknown>): Schema {
  const taken = schemaOf(parse, 'output')
  const isNumber = taken.type === 'integer' || taken.type === 'number'
  const value = isNumber ? taken : asScalar(schemaOf(parse, 'input'))
  const forms: Schema[] = [value]
  // A number may also be given in quotes.
  if (isNumber) forms.push(schemaOf(parse, 'input'))
  if (allowed.includes('separated by commas')) forms.push({ type: 'array', items: { type: ['string', 'number'] } })
  // An empty value counts as not given.
  forms.push({ type: 'null' })
  return {
    description: `${description}: ${allowed}`,
    ...(fallback === undefined ? {} : { default: isNumber ? Number(fallback) : fallback }),
    ...(secret ? { writeOnly: true } : {}),
    anyOf: forms,
  }
}

function schemaOf(parse: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(parse, { io, unrepresentable: 'any' })
  return schema
}

/** All scalars of the file are read as text, so a text setting may also be given as a number or boolean. */
function asScalar(schema: Schema): Schema {
  const { type, pattern, enum: choices } = schema
  if (type !== 'string' || choices) return schema
  const types = ['string', ...(takes(pattern, '1') ? ['number'] : []), ...(takes(pattern, 'true') ? ['boolean'] : [])]
  return { ...schema, type: types as never }
}

function takes(pattern: string | undefined, text: string): boolean {
  return pattern === undefined || new RegExp(pattern).test(text)
}

function alertsSchema(): Schema {
  const { rules, ...rest } = propertiesOf(schemaOf(userRulesSection, 'input'))
  const rule = rules?.items as Schema
  const { kpi = {}, labels, ...others } = propertiesOf(rule)
  const parts = {
    ...relaxed(others),
    labels: { ...labels, additionalProperties: { type: ['string', 'number', 'boolean'] } } as Schema,
    kpi: oneOfTwo({ ...kpi, properties: relaxed(propertiesOf(kpi)) }, 'above', 'below'),
  }
  const items = oneOfTwo({ ...rule, properties: parts }, 'sql', 'kpi')
  return {
    description: 'alert rules of your own: docs/operations.md',
    type: 'object',
    properties: { ...rest, rules: { ...rules, items } },
    additionalProperties: false,
  }
}

function propertiesOf({ properties = {} }: Schema): Record<string, Schema> {
  return properties as Record<string, Schema>
}

function relaxed(properties: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, asScalar(schema)]))
}

/**
 * An object with exactly one of two properties. zod checks this with a function, so its JSON schema does not include
 * it.
 */
function oneOfTwo(schema: Schema, a: string, b: string): Schema {
  const having = (name: string, other: string): Schema => {
    const { [other]: _, ...properties } = propertiesOf(schema)
    return { ...schema, properties, required: [...(schema.required ?? []), name] }
  }
  return { oneOf: [having(a, b), having(b, a)] }
}
