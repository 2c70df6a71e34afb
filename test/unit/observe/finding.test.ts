import { expect, it } from 'vitest'
import { underName } from '../../../src/observe/finding.ts'

it.each([
  ['PostgreSQL', 'PostgreSQL at db:5432/x does not answer', 'db:5432/x does not answer'],
  ['Kafka', 'Kafka at a:1,b:2 did not answer within 3 s', 'a:1,b:2 did not answer within 3 s'],
  ['Kafka', 'the topic does not exist', 'the topic does not exist'],
  ['KPI', 'PostgreSQL at db:5432/x does not answer', 'PostgreSQL at db:5432/x does not answer'],
])('under the name %s, "%s" does not repeat it', (name, summary, expected) => {
  expect(underName(name, summary)).toBe(expected)
})
