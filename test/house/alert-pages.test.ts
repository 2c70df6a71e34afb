// Every alert has a page, and every page an alert.
import { describe, expect, it } from 'vitest'
import { ownRuleNames } from '../../src/alerts/alert-rules.ts'
import { settings } from '../../src/config/settings.ts'
import { ruleNames } from '../../src/observe/finding.ts'
import { files, read } from './tracked-files.ts'

const rules: readonly string[] = [...ruleNames, ...ownRuleNames]
const folder = 'docs/alerts/'
const headings = ['What it means', 'What to check first', 'How to fix it', 'How to silence it']
const settingNames = new Set(Object.values(settings).map(({ env }) => env))

it('there is a page for each rule, and no other', () => {
  const pages = files.filter((file) => file.startsWith(folder)).map((file) => file.slice(folder.length))
  expect(pages.sort()).toEqual([...rules.map((rule) => `${rule}.md`), 'README.md'].sort())
})

it('the overview links each page', () => {
  const overview = read(`${folder}README.md`)
  expect(rules.filter((rule) => !overview.includes(`[${rule}](${rule}.md)`))).toEqual([])
})

describe.each(rules)('%s', (rule) => {
  const page = read(`${folder}${rule}.md`)

  it('says in four parts what it means and what to do', () => {
    expect(page.split('\n')[0]).toBe(`# ${rule}`)
    const parts = page.split(/^## /m).slice(1)
    expect(parts.map((part) => part.slice(0, part.indexOf('\n')))).toEqual(headings)
    for (const part of parts) expect(part.slice(part.indexOf('\n')).trim().length).toBeGreaterThan(40)
  })

  it('names three things to check first, one of them a command of ours', () => {
    const [, , look = ''] = page.split(/^## /m)
    const steps = look.match(/^\d\. .+$/gm) ?? []
    expect(steps.map((step) => step[0])).toEqual(['1', '2', '3'])
    expect(look).toMatch(/`market-kpi [a-z]/)
  })

  it('names settings that there are', () => {
    const named = [...page.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !settingNames.has(name) && !name.startsWith('KPI_'))).toEqual([])
  })

  it('is silenced by its own name', () => {
    const silencing = page.slice(page.indexOf('## How to silence it'))
    if (rule === 'Watchdog') expect(silencing).toContain('nothing to silence')
    else expect(silencing).toMatch(new RegExp(`^market-kpi alerts silence ${rule} --for \\d+[smhd] `, 'm'))
  })
})
