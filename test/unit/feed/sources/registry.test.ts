import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { feedSources, parseSource, spellingOf, spellings } from '../../../../src/feed/sources/registry.ts'

describe('a source on the command line', () => {
  it('is one of the registry, with its argument', () => {
    expect(parseSource('simulate')).toMatchObject({ source: { name: 'simulate' }, argument: '' })
    expect(parseSource('replay:a:b.csv')).toMatchObject({ source: { name: 'replay' }, argument: 'a:b.csv' })
  })

  it.each(['', 'replay:', 'replay', 'simulate:', 'simulate:5', 'yahoo', 'SIMULATE'])(
    'is nothing else: "%s"',
    (text) => {
      expect(() => parseSource(text)).toThrow(
        expect.objectContaining({
          code: 'KPI_USAGE',
          message: `the source '${text}': must be simulate or replay:FILE`,
        }),
      )
    },
  )

  it('is listed in words', () => {
    expect(spellings(feedSources, ['none'])).toBe('simulate, replay:FILE or none')
    expect(spellings(feedSources.slice(0, 1))).toBe('simulate')
  })
})

describe('the registry', () => {
  it('has no name twice', () => {
    const names = feedSources.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(feedSources.map((source) => [spellingOf(source), source] as const))(
    'is described in docs/feeds.md: %s, with its options',
    (spelling, source) => {
      const page = readFileSync(new URL('../../../../docs/feeds.md', import.meta.url), 'utf8')
      expect(page).toContain(`\n| \`${spelling}\` |`)
      expect(page).toContain(`\n## ${spelling}\n`)
      for (const { long } of source.options()) expect(page).toContain(`\`${long}`)
    },
  )
})
