// Pages that lead through the code name files and functions that exist.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { files, read, root } from './tracked-files.ts'

const pages = files.filter((file) => /^(docs\/.*|README|CONTRIBUTING)(\.md)?$/.test(file) && file.endsWith('.md'))

describe('every page', () => {
  it.each(pages)('%s names files that exist', (page) => {
    const named = [...read(page).matchAll(/`((?:src|migrations|test|scripts|bench)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    )
    const examples = /NNNN/
    expect(named.filter((path) => !examples.test(path) && !existsSync(join(root, path)))).toEqual([])
  })
})

describe('docs/architecture.md', () => {
  const page = read('docs/architecture.md')

  it('names functions that exist', () => {
    const sources = files.filter((file) => /^src\/.*\.tsx?$/.test(file)).map(read)
    const named = [...page.matchAll(/`(?:\w+\.)?(\w+)\(\)`/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(10)
    const missing = named.filter((name) => !sources.some((source) => new RegExp(`\\b${name}\\(`).test(source)))
    expect(missing).toEqual([])
  })

  it('names classes that exist', () => {
    const sources = files.filter((file) => /^src\/.*\.tsx?$/.test(file)).map(read)
    const named = [...page.matchAll(/`([A-Z]\w+[a-z]\w*)`/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(10)
    const declared = (name: string) => new RegExp(`\\b(class|interface|type) ${name}\\b`)
    expect(named.filter((name) => !sources.some((source) => declared(name).test(source)))).toEqual([])
  })
})
