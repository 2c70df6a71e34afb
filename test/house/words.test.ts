// User-visible text is free of the words that were given up (given-up-words.ts): pages, help, messages, log lines.
import { parseSync } from '@swc/core'
import { describe, expect, it } from 'vitest'
import { givenUpWords } from './given-up-words.ts'
import { files, read } from './tracked-files.ts'

/** What is no prose: code, options, names with underscores or of alert rules, addresses. */
const notProse = /`[^`\n]*`|--[\w-]+|\b\w*_\w+\b|https?:\/\/\S+|\]\([^)]*\)/g

/** `PLACE: word in its surroundings (write …)` for each word of the text that was given up. */
function complaints(place: string, text: string): string[] {
  const prose = text.replaceAll(notProse, (found) => ' '.repeat(found.length)).replaceAll(/\s+/g, ' ')
  return givenUpWords.flatMap(([pattern, instead]) =>
    [...prose.matchAll(new RegExp(pattern.source, 'gi'))].map(({ index, 0: found }) => {
      const around = prose.slice(Math.max(0, index - 30), index + found.length + 30).trim()
      return `${place}: '${found}' in '… ${around} …': ${instead}`
    }),
  )
}

/** The texts of a source file that people may read: strings and templates with a space in them. SQL is none. */
function sentences(file: string): string[] {
  const found: string[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, value, quasis } = node as { type?: string; value?: unknown; quasis?: { cooked?: string }[] }
    if ((type === 'StringLiteral' || type === 'JSXText') && typeof value === 'string') found.push(value)
    if (type === 'TemplateLiteral' && quasis) found.push(quasis.map(({ cooked }) => cooked ?? '').join(' x '))
    for (const child of Object.values(node)) visit(child)
  }
  visit(parseSync(read(file), { syntax: 'typescript', tsx: file.endsWith('x') }).body)
  return found.filter(
    (text) => /\S\s+\S/.test(text) && !/\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|GRANT)\b/.test(text),
  )
}

const pages = files.filter((file) => /^(README|CONTRIBUTING|SECURITY)\.md$|^(docs|examples|bench)\/.*\.md$/.test(file))
const sources = files.filter((file) => /^src\/.*\.tsx?$/.test(file))

describe('words that were given up', () => {
  it.each(pages)('%s has none', (page) => {
    expect(complaints(page, read(page))).toEqual([])
  })

  it('the changes that are not released yet have none', () => {
    const [, unreleased = ''] = read('CHANGELOG.md').split(/^## /m)
    expect(complaints('CHANGELOG.md', unreleased)).toEqual([])
  })

  it('help texts, messages and log lines have none', () => {
    expect(sources.flatMap((file) => sentences(file).flatMap((text) => complaints(file, text)))).toEqual([])
  })

  it('are found where they are', () => {
    expect(complaints('a page', 'The rows stand still: nobody tells.')).toHaveLength(2)
    expect(complaints('a page', 'Set `PRUNE_LETTERS` or --letters-older-than; dead letters stay.')).toEqual([])
  })
})
