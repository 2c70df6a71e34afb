import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findJava, majorVersion } from '../../../../src/embedded/kafka/java.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder[Symbol.dispose]())

/** A `java` that says its version as the real one does; returns the folder it stands in. */
function fakeJava(name: string, script: string): string {
  const bin = join(folder.path, name, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'java'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, 'java'), 0o755)
  return bin
}

const says = (version: string) => `echo 'openjdk version "${version}" 2025-04-15' >&2`
const whatToDo =
  'install one (Debian: apt-get install openjdk-17-jre-headless), set JAVA_HOME, or name a running cluster in KAFKA_BOOTSTRAP_SERVERS'

describe('findJava', () => {
  it.each(['17.0.15', '21', '25-ea'])('takes a Java %s from PATH', async (version) => {
    expect(await findJava({ PATH: fakeJava('java', says(version)) })).toBe('java')
  })

  it('prefers the one of JAVA_HOME', async () => {
    fakeJava('home', says('17'))
    const home = join(folder.path, 'home')
    const PATH = fakeJava('old', says('11.0.1'))
    expect(await findJava({ PATH, JAVA_HOME: home })).toBe(join(home, 'bin', 'java'))
    await expect(findJava({ PATH, JAVA_HOME: ' ' })).rejects.toThrow("'java' is Java 11")
  })

  it('takes one whose words it does not know: the broker will tell', async () => {
    expect(await findJava({ PATH: fakeJava('java', 'echo GraalVM') })).toBe('java')
  })

  it.each<[string, () => NodeJS.ProcessEnv, string]>([
    ['none in PATH', () => ({ PATH: folder.path }), "'java' is not in PATH"],
    ['no PATH at all', () => ({ PATH: '' }), "'java' is not in PATH"],
    ['one that does not run', () => ({ PATH: fakeJava('java', 'exit 1') }), "'java' in PATH does not run"],
    ['one that is too old', () => ({ PATH: fakeJava('java', says('1.8.0_392')) }), "'java' is Java 8"],
    ['a JAVA_HOME without one', () => ({ JAVA_HOME: '/nowhere' }), 'JAVA_HOME=/nowhere has no bin/java that runs'],
  ])('refuses %s in one line', async (_, env, why) => {
    await expect(findJava(env())).rejects.toMatchObject({
      code: 'KPI_JAVA_MISSING',
      message: `the Kafka broker needs Java 17 or newer, ${why}: ${whatToDo}`,
    })
  })
})

it.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_392"', 8],
  ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19', 21],
  ['something else', undefined],
])('the major version of %j is %s', (told, version) => {
  expect(majorVersion(told)).toBe(version)
})
