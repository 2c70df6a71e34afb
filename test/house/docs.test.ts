// The pages say what the code does.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configurationPage } from '../../scripts/pages/configuration-page.ts'
import { metricsPage } from '../../scripts/pages/metrics-page.ts'
import { tradingHoursProblem } from '../../src/config/trading-hours.ts'
import { errorCodes } from '../../src/errors.ts'
import { files, read, root } from './tracked-files.ts'

const pages = files.filter((file) => file.endsWith('.md'))

/** The text below each `## ` heading. */
function sections(page: string): Map<string, string> {
  const parts = read(page).split(/^## /m).slice(1)
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')).trim(), part.slice(part.indexOf('\n'))]))
}

it('docs/configuration.md is current; `npm run docs` writes it', () => {
  expect(read('docs/configuration.md')).toBe(configurationPage())
})

it('docs/metrics.md is current; `npm run docs` writes it', () => {
  expect(read('docs/metrics.md')).toBe(metricsPage())
})

describe('examples of TRADING_HOURS', () => {
  const text = pages.map(read).join('\n')
  const whole = [...text.matchAll(/TRADING_HOURS='([^']+)'/g)].map(([, value = '']) => value)
  const inline = [...text.matchAll(/`((?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)[^`]* \d\d:\d\d-\d\d:\d\d)`/g)]
  const sessions = inline.map(([, value = '']) => `*=UTC ${value}`)
  const exceptions = [...text.matchAll(/`(!\d{4}[^`]*)`/g)].map(([, value = '']) => `*=UTC Mon 09:00-10:00 ${value}`)

  it.each([...new Set([...whole, ...sessions, ...exceptions])])('%j can be set', (value) => {
    expect(tradingHoursProblem(value)).toBeUndefined()
  })

  it('are there, of each kind', () => {
    expect([whole, sessions, exceptions].map((found) => found.length > 0)).toEqual([true, true, true])
  })
})

describe('docs/errors.md', () => {
  const described = sections('docs/errors.md')

  it('has each code, in the order of src/errors.ts, and no other', () => {
    expect([...described.keys()]).toEqual(Object.keys(errorCodes))
  })

  it.each(Object.entries(errorCodes))('says how %s ends and what to do', (code, { retryable, exitCode }) => {
    const text = described.get(code) ?? ''
    expect(text).toContain(`Exit code ${exitCode}, ${retryable ? 'tried again' : 'not tried again'}.`)
    expect(text).toMatch(/\*\*What to do\.\*\* \S+/)
  })

  it('has no code that nothing throws', () => {
    const sources = files.filter((file) => file.startsWith('src/') && file !== 'src/errors.ts').map(read)
    const unused = Object.keys(errorCodes).filter((code) => !sources.some((source) => source.includes(`'${code}'`)))
    expect(unused).toEqual([])
  })
})

describe('docs/tables.md', () => {
  const described = sections('docs/tables.md')
  const migrations = files.filter((file) => file.startsWith('migrations/')).map(read)
  const sql = migrations.join('\n').replace(/--.*$/gm, '')

  /** The columns of each table, by CREATE TABLE and ALTER TABLE … ADD COLUMN. */
  const tables = new Map<string, string[]>()
  for (const [, table = '', body = ''] of sql.matchAll(/CREATE TABLE (\w+) \(\n(.*?)\n\)/gs)) {
    const columns = [...body.matchAll(/^ {2}([a-z]\w*) /gm)].map(([, column = '']) => column)
    tables.set(table, columns)
  }
  for (const [, table = '', column = ''] of sql.matchAll(/ALTER TABLE (\w+)\s+ADD COLUMN (\w+)/g)) {
    tables.get(table)?.push(column)
  }
  const views = [...sql.matchAll(/CREATE (?:OR REPLACE )?VIEW (\w+)/g)].map(([, view = '']) => view)

  it('has each table and view, and no other', () => {
    expect(tables.size).toBeGreaterThan(5)
    const there = [...new Set([...tables.keys(), ...views]), 'kpi_migrations']
    expect([...described.keys()].sort()).toEqual(there.sort())
  })

  it.each([...tables])('has each column of %s, and no other', (table, columns) => {
    const cells = [...(described.get(table) ?? '').matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell)
    const names = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
    expect(names.sort()).toEqual([...columns].sort())
  })
})

describe('every page', () => {
  it.each(pages)('%s links to what is there', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    const dead = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? page : join(dirname(page), path)
        return !existsSync(join(root, target)) || (anchor !== undefined && !anchors(target).includes(anchor))
      })
    expect(dead).toEqual([])
  })

  it('is found from the README', () => {
    const index = read('README.md')
    const own = pages.filter((page) => /^docs\/[^/]+\.md$/.test(page))
    expect(own.filter((page) => !index.includes(`(${page})`))).toEqual([])
  })
})

it('decisions are numbered in a row', () => {
  const numbers = files
    .filter((file) => /^docs\/decisions\/\d{4}-[a-z0-9-]+\.md$/.test(file))
    .map((file) => file.slice(15, 19))
  expect(numbers.map(Number)).toEqual(numbers.map((_, index) => index + 1))
  expect(numbers.length).toBeGreaterThan(0)
})

function anchors(page: string): string[] {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  )
}
