import { describe, expect, it } from 'vitest'
import type { Setting } from '../../../src/config/setting.ts'
import { settings } from '../../../src/config/settings.ts'

const all: [string, Setting<unknown>][] = Object.entries(settings)

describe.each(all)('%s', (_, setting) => {
  it('has a default that is allowed', () => {
    if (setting.default === undefined) expect(setting).not.toHaveProperty('default')
    else expect(setting.parse.safeParse(setting.default)).toMatchObject({ success: true })
  })

  it('has a name, a meaning and words for what is allowed', () => {
    expect(setting.env).toMatch(/^[A-Z][A-Z0-9_]+$/)
    expect(setting.description).toMatch(/\S/)
    expect(setting.allowed).toMatch(/\S/)
    expect(setting.flag ?? '--x X').toMatch(/^--[a-z-]+ \S+$/)
  })
})

it('names and flags belong to one setting each', () => {
  const names = all.map(([, { env }]) => env)
  const flags = all.flatMap(([, { flag }]) => flag?.split(' ')[0] ?? [])
  expect(new Set(names).size).toBe(names.length)
  expect(new Set(flags).size).toBe(flags.length)
})

it('whatever holds a password is a secret, has no default and no flag', () => {
  // These stand in every notification, or in the browser.
  const isPublic = (env: string) => ['ALERT_RUNBOOK_BASE_URL', 'GRAFANA_URL'].includes(env)
  const passwords = all.filter(([, { env }]) => /PASSWORD|TOKEN|SECRET|_URLS?$/.test(env) && !isPublic(env))
  expect(passwords.length).toBeGreaterThan(4)
  for (const [, setting] of passwords) {
    expect(setting).toMatchObject({ secret: true })
    expect(setting.default ?? setting.flag).toBeUndefined()
  }
})

it.each(['127.0.0.1:9092', 'a:1,b.example:65535', 'kafka:00009092'])('brokers may be %s', (text) => {
  expect(settings.kafkaBootstrapServers.parse.safeParse(text).success).toBe(true)
})

it.each(['', 'a', 'a:', ':1', 'a:0', 'a:70000', 'a:1,', 'a:1, b:2', 'a:x'])("brokers may not be '%s'", (text) => {
  expect(settings.kafkaBootstrapServers.parse.safeParse(text).success).toBe(false)
})

it.each(['10', 'AAPL', 'BTC/USDT,EURUSD=X,^GSPC,BRK.B'])('symbols may be %s', (text) => {
  expect(settings.symbols.parse.safeParse(text).success).toBe(true)
})

it.each(['', 'A,', ',A', 'A B', 'A,,B', 'ü', 'A'.repeat(33)])("symbols may not be '%s'", (text) => {
  expect(settings.symbols.parse.safeParse(text).success).toBe(false)
})
