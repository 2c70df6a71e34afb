// The style that a linter does not know.
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { files, matches, read } from './tracked-files.ts'

const code = files.filter((file) => /^(src|test|scripts|bench|bin|examples)\/.*\.(ts|tsx|js|mjs)$/.test(file))
const typescript = code.filter((file) => /\.tsx?$/.test(file))

interface LockedPackage {
  resolved?: string
  optionalDependencies?: Record<string, string>
}
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> }
const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>

describe('source files', () => {
  it('are found', () => {
    expect(code.filter((file) => file.startsWith('src/')).length).toBeGreaterThan(30)
  })

  it('have at most 350 lines', () => {
    const tooLong = code.filter((file) => read(file).trimEnd().split('\n').length > 350)
    expect(tooLong).toEqual([])
  })

  it('are at most 20 in a folder', () => {
    const counts = Map.groupBy(code, (file) => dirname(file))
    expect([...counts].filter(([, inFolder]) => inFolder.length > 20).map(([folder]) => folder)).toEqual([])
  })

  it('have names in kebab-case that say what is inside', () => {
    const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.(ts|tsx|js|mjs)$/
    expect(code.filter((file) => !name.test(basename(file)))).toEqual([])
    expect(code.filter((file) => /\b(utils?|helpers?|lib|managers?|misc|common)\b/.test(file))).toEqual([])
  })

  it('never turn the type checker off', () => {
    const outsideComments = /^(?!\s*(\/\/|\/?\*)).*(\bas any\b|:\s*any\b|<any\b|\bany\[\])/
    expect(matches(typescript, outsideComments).filter((line) => !line.startsWith('test/house/tidy.test.ts'))).toEqual(
      [],
    )
    const switchedOff = new RegExp(['@ts-', '(ignore|nocheck|expect-error)'].join(''))
    expect(matches(code, switchedOff)).toEqual([])
  })

  it('export by name', () => {
    // A vitest reporter has to be a default export.
    const allowed = ['scripts/closing-reporter.ts']
    expect(matches(code, /^export default /).filter((line) => !allowed.includes(line.split(':')[0] ?? ''))).toEqual([])
  })
})

describe('tests', () => {
  it('are never skipped or singled out', () => {
    const tests = files.filter((file) => /^test\/.*\.ts$/.test(file))
    expect(matches(tests, /^\s*(it|test|describe)(\.\w+)*\.(skip|only|todo|skipIf|runIf|fails)\b/)).toEqual([])
  })
})

describe('all files', () => {
  const text = files.filter((file) => !/\.(gz|png|ico|woff2)$/.test(file) && file !== 'test/house/tidy.test.ts')

  it('name no folder of somebody’s machine', () => {
    expect(matches(text, /(^|[\s"'`(=:])\/(work|home|Users|root)\/\w/)).toEqual([])
  })

  it('name no package registry', () => {
    expect(matches(text, /registry\.npmjs|repo1?\.maven|repo\.maven\.apache|pypi\.org|artifactory|\bnexus\./i)).toEqual(
      [],
    )
  })
})

describe('packages', () => {
  it('have exact versions', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })

  it('are locked without addresses', () => {
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  })

  // `npm ci` refuses a lock that leaves out a package's builds for other systems: node scripts/complete-lock.ts.
  it('are locked for every system', () => {
    const missing = Object.entries(lock.packages).flatMap(([parent, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`${parent}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages),
      ),
    )
    expect(missing).toEqual([])
  })

  it('may run their install scripts only where told so', () => {
    const scripted = Object.entries(lock.packages)
      .filter(([, entry]) => 'hasInstallScript' in entry)
      .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
    const told = Object.keys(manifest.allowScripts ?? {})
    expect(scripted.filter((name) => !told.includes(name) && name !== 'fsevents')).toEqual([])
  })
})
