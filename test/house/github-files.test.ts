// What GitHub reads: the workflow, the templates and the dependency updates agree with the rest of the project.
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { files, read } from './tracked-files.ts'

interface Workflow {
  jobs: Record<string, { steps: { run?: string; uses?: string; with?: Record<string, string> }[] }>
}

interface Updates {
  updates: { 'package-ecosystem': string; directory?: string; directories?: string[] }[]
}

interface IssueForm {
  name: string
  description: string
  body: { type: string; id?: string; attributes: { label?: string; value?: string } }[]
}

describe('the workflow', () => {
  const { jobs } = parse(read('.github/workflows/ci.yml')) as Workflow
  const steps = Object.values(jobs).flatMap((job) => job.steps)

  it('runs what CI runs everywhere else', () => {
    expect(steps.map(({ run }) => run)).toContain('.ci/run')
  })

  it('runs it on the pinned Node', () => {
    const node = steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'))
    expect(node?.with?.['node-version-file']).toBe('.nvmrc')
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } }
    expect(read('.nvmrc').trim()).toBe(devDependencies.node)
  })
})

describe('dependency updates', () => {
  const { updates } = parse(read('.github/dependabot.yml')) as Updates
  const kinds: Record<string, RegExp> = {
    npm: /^package\.json$/,
    pip: /^requirements[\w-]*\.txt$/,
    maven: /^pom\.xml$/,
  }

  it.each(Object.entries(kinds))('cover every folder with packages of %s, and no other', (kind, manifest) => {
    const covered = updates
      .filter((update) => update['package-ecosystem'] === kind)
      .flatMap(({ directory, directories = [] }) => [...directories, ...(directory ? [directory] : [])])
    const folders = files.filter((file) => manifest.test(basename(file))).map((file) => `/${dirname(file)}`)
    const wanted = new Set(folders.map((folder) => folder.replace(/^\/\.$/, '/')))
    expect(wanted.size).toBeGreaterThan(0)
    expect(covered.sort()).toEqual([...wanted].sort())
  })
})

describe('issue forms', () => {
  const forms = files.filter((file) => /^\.github\/ISSUE_TEMPLATE\/(?!config)[a-z]+\.yml$/.test(file))

  it('are there for bugs and for features', () => {
    expect(forms.map((file) => basename(file))).toEqual(['bug.yml', 'feature.yml'])
  })

  // GitHub shows no form at all when one of these is missing, and reports that nowhere else.
  it.each(forms)('%s has what GitHub needs to show it', (file) => {
    const { name, description, body } = parse(read(file)) as IssueForm
    expect(name).toMatch(/\w/)
    expect(description).toMatch(/\w/)
    const inputs = body.filter(({ type }) => type !== 'markdown')
    expect(inputs.length).toBeGreaterThan(0)
    expect(inputs.filter(({ attributes }) => !attributes.label)).toEqual([])
    const ids = inputs.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !/^[\w-]+$/.test(id ?? ''))).toEqual([])
  })
})
