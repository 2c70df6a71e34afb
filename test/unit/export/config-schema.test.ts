import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { settings } from '../../../src/config/settings.ts'
import { configSchema } from '../../../src/export/config-schema.ts'

const schema = configSchema()
const checker = z.fromJSONSchema(schema as never)

/** As an editor reads the file: with numbers as numbers. */
function isValid(yaml: string): boolean {
  return checker.safeParse(parse(yaml)).success
}

const ruleOf = (text: string) => `alerts:\n  rules:\n    - { name: BigMove, ${text} }\n`

it('names every setting, and says what it takes', () => {
  const { properties = {} } = schema
  expect(Object.keys(properties)).toEqual([...Object.values(settings).map(({ env }) => env.toLowerCase()), 'alerts'])
  expect(properties.lag_warning_messages).toMatchObject({
    default: 1000,
    description: expect.stringContaining('warning'),
  })
  expect(properties.postgres_password).toMatchObject({ writeOnly: true })
})

it.each([
  [
    'numbers and texts',
    "batch_size: 500\nkafka_topic: prices\nkafka_security_protocol: SSL\nlag_warning_messages: '20'",
  ],
  ['a list of brokers', 'kafka_bootstrap_servers: [broker-1:9092, broker-2:9092]'],
  ['a text of digits', 'postgres_password: 0123'],
  ['a name without a value', 'kafka_topic:\nerror_rate_warning_percent: 0.5'],
  ['a rule on KPIs', ruleOf('kpi: { measure: volume, within: 15m, above: 3.5 }, labels: { team: 7 }')],
  ['a rule by SQL', ruleOf('sql: SELECT 1 AS value, for: 5m, severity: critical')],
])('takes %s', (_, yaml) => {
  expect(isValid(yaml)).toBe(true)
})

it.each([
  ['a setting that there is not', 'batchsize: 500'],
  ['a number that is too large', 'batch_size: 100000000000'],
  ['a text for a number', 'batch_size: many'],
  ['a word that is none of the choices', 'kafka_security_protocol: TLS'],
  ['brokers without a port', 'kafka_bootstrap_servers: broker'],
  ['a rule without sql and kpi', ruleOf('severity: info')],
  ['a rule with both', ruleOf('sql: SELECT 1, kpi: { measure: volume, within: 15m, above: 3 }')],
  ['a rule with no limit', ruleOf('kpi: { measure: volume, within: 15m }')],
  ['a rule with an unknown measure', ruleOf('kpi: { measure: colour, within: 15m, above: 3 }')],
  ['a time without its unit', ruleOf('sql: SELECT 1, for: 5')],
  ['a rule with something else in it', ruleOf('sql: SELECT 1, colour: red')],
])('refuses %s', (_, yaml) => {
  expect(isValid(yaml)).toBe(false)
})

it('takes the example of the documentation', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/operations.md'), 'utf8')
  const [, example = ''] = /```yaml\n(alerts:\n.*?)```/s.exec(page) ?? []
  expect(example).toContain('rules:')
  expect(isValid(example)).toBe(true)
})
