import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  cacheDirectory,
  DownloadMeter,
  ensureKafkaJars,
  kafkaVersion,
} from '../../../../src/embedded/kafka/kafka-jars.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

let folder: ReturnType<typeof temporaryFolder>
let cache: string
let told: string[]
beforeEach(() => {
  folder = temporaryFolder()
  cache = join(folder.path, 'cache')
  told = []
})
afterEach(() => folder[Symbol.dispose]())

const mainJar = `kafka_2.13-${kafkaVersion}.jar`
const final = () => join(cache, `kafka-${kafkaVersion}`)
const mavenRuns = () => (existsSync(join(folder.path, 'runs')) ? readFileSync(join(folder.path, 'runs'), 'utf8') : '')

/** A `mvn` that notes its run and puts jars where the real one would; `script` may do something else first. */
function fakeMaven(script = ''): void {
  const text = `#!/bin/sh
PATH=/usr/bin:/bin
echo run >> '${join(folder.path, 'runs')}'
for argument; do case "$argument" in -DoutputDirectory=*) out="\${argument#*=}";; esac; done
${script}
mkdir -p "$out"
echo '[INFO] Downloaded from somewhere: kafka.jar (1.5 MB at 3 MB/s)'
printf main > "$out/${mainJar}"
printf other > "$out/other.jar"
`
  mkdirSync(join(folder.path, 'bin'), { recursive: true })
  writeFileSync(join(folder.path, 'bin', 'mvn'), text)
  chmodSync(join(folder.path, 'bin', 'mvn'), 0o755)
}

function ensure(env: NodeJS.ProcessEnv = {}): Promise<string> {
  return ensureKafkaJars({
    env: { PATH: join(folder.path, 'bin'), MARKET_KPI_CACHE: cache, ...env },
    progress: (line) => told.push(line),
  })
}

describe('the first time', () => {
  it('fetches by Maven, tells so, and leaves nothing but the jars', async () => {
    fakeMaven()
    expect(await ensure()).toBe(final())
    expect(readdirSync(final()).sort()).toEqual(['jars.json', mainJar, 'other.jar'])
    expect(readdirSync(cache)).toEqual([`kafka-${kafkaVersion}`])
    expect(told).toEqual(['fetching the Kafka broker by Maven, once: 0 of about 50 MB, 0 s'])
  })

  it('does it once for two that want them at the same moment, and both get them whole', async () => {
    fakeMaven('sleep 0.2')
    expect(await Promise.all([ensure(), ensure()])).toEqual([final(), final()])
    expect(readdirSync(cache)).toEqual([`kafka-${kafkaVersion}`])
    expect(readFileSync(join(final(), 'other.jar'), 'utf8')).toBe('other')
  })
})

describe('later', () => {
  beforeEach(async () => {
    fakeMaven()
    await ensure()
    told = []
  })

  it('needs no Maven', async () => {
    rmSync(join(folder.path, 'bin'), { recursive: true })
    expect(await ensure()).toBe(final())
    expect(told).toEqual([])
  })

  it.each<[string, () => void]>([
    ['a jar is missing', () => rmSync(join(final(), 'other.jar'))],
    ['the broker itself is missing', () => rmSync(join(final(), mainJar))],
    ['a jar was cut short', () => writeFileSync(join(final(), 'other.jar'), 'ot')],
    ['the list is missing', () => rmSync(join(final(), 'jars.json'))],
    ['the list is damaged', () => writeFileSync(join(final(), 'jars.json'), '{')],
    [
      'only an empty folder is left',
      () => {
        rmSync(final(), { recursive: true })
        mkdirSync(final())
      },
    ],
    [
      'a file stands in its place',
      () => {
        rmSync(final(), { recursive: true })
        writeFileSync(final(), '')
      },
    ],
  ])('fetches anew when %s', async (_, damage) => {
    damage()
    expect(await ensure()).toBe(final())
    expect(mavenRuns()).toBe('run\nrun\n')
    expect(readdirSync(final()).sort()).toEqual(['jars.json', mainJar, 'other.jar'])
    expect(readFileSync(join(final(), 'other.jar'), 'utf8')).toBe('other')
    expect(readdirSync(cache)).toEqual([`kafka-${kafkaVersion}`])
  })

  it('is repaired by one of two that find it broken', async () => {
    rmSync(join(final(), mainJar))
    expect(await Promise.all([ensure(), ensure()])).toEqual([final(), final()])
    expect(readdirSync(final()).sort()).toEqual(['jars.json', mainJar, 'other.jar'])
  })
})

it('takes away what a killed download left, but not what another downloads now', async () => {
  const [old, young] = [`.kafka-${kafkaVersion}-old`, `.kafka-${kafkaVersion}-young`]
  for (const name of [old, young]) mkdirSync(join(cache, name), { recursive: true })
  utimesSync(join(cache, old), 0, 0)
  fakeMaven()
  await ensure()
  expect(readdirSync(cache).sort()).toEqual([young, `kafka-${kafkaVersion}`])
})

describe('refuses in one line', () => {
  it('without Maven and cache, before it tells of any download', async () => {
    await expect(ensure()).rejects.toMatchObject({
      code: 'KPI_MAVEN_MISSING',
      message:
        "Maven is needed once, to fetch the Kafka broker, and 'mvn' is not in PATH: install it (Debian: apt-get install maven), or name a running cluster in KAFKA_BOOTSTRAP_SERVERS",
    })
    expect(told).toEqual([])
    expect(readdirSync(cache)).toEqual([])
  })

  it.each<[string, string, string, RegExp]>([
    [
      'without network',
      `echo '[ERROR] Failed to execute goal x: Could not transfer artifact y -> [Help 1]'; exit 1`,
      'KPI_DOWNLOAD_FAILED',
      /try again: Failed to execute goal x: Could not transfer artifact y$/,
    ],
    ['when Maven says nothing', 'exit 3', 'KPI_DOWNLOAD_FAILED', /: mvn ended with 3$/],
    ['when Maven brings nothing', 'exit 0', 'KPI_DOWNLOAD_FAILED', /^Maven ended well but brought no kafka_2\.13-/],
    [
      'on a full disk',
      `echo '[ERROR] Failed: No space left on device -> [Help 1]'; exit 1`,
      'KPI_DISK_FULL',
      /^no space to fetch the Kafka broker: Failed: No space left on device$/,
    ],
  ])('%s', async (_, script, code, message) => {
    fakeMaven(script)
    await expect(ensure()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(readdirSync(cache)).toEqual([])
  })

  it('when the cache cannot be written', async () => {
    writeFileSync(cache, 'a file')
    await expect(ensure()).rejects.toMatchObject({
      code: 'KPI_DOWNLOAD_FAILED',
      message: expect.stringMatching(/^cannot write the download cache .*: set MARKET_KPI_CACHE to a folder of yours$/),
    })
  })
})

it('a download ends when it is told to', async () => {
  fakeMaven('exec sleep 600')
  const stop = new AbortController()
  const download = ensureKafkaJars({
    env: { PATH: join(folder.path, 'bin'), MARKET_KPI_CACHE: cache },
    progress: () => stop.abort(),
    signal: stop.signal,
  })
  await expect(download).rejects.toMatchObject({ code: 'KPI_DOWNLOAD_FAILED' })
  expect(readdirSync(cache)).toEqual([])
})

it.each([
  [{ MARKET_KPI_CACHE: '/c' }, '/c'],
  [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/market-kpi'],
  [{ MARKET_KPI_CACHE: ' ', XDG_CACHE_HOME: '', HOME: '/h' }, '/h/.cache/market-kpi'],
])('the cache of %j is %s', (env, path) => {
  expect(cacheDirectory(env)).toBe(path)
})

it('progress is told once a second at most, in all megabytes so far', () => {
  const lines: string[] = []
  let nowMs = 0
  const meter = new DownloadMeter(
    (line) => lines.push(line),
    () => nowMs,
  )
  for (const [atMs, line] of [
    [0, 'Downloaded from c: http://x/a.jar (900 B at 1 kB/s)'],
    [10, 'Downloaded from c: http://x/b.jar (1.5 MB at 3 MB/s)'],
    [999, 'Downloading from c: http://x/c.jar'],
    [1000, 'Downloaded from c: http://x/c.jar (500 kB at 3 MB/s)'],
  ] as const) {
    nowMs = atMs
    meter.read(line)
  }
  expect(lines).toEqual([
    'fetching the Kafka broker by Maven, once: 0 of about 50 MB, 0 s',
    'fetching the Kafka broker by Maven, once: 2 of about 50 MB, 0 s',
    'fetching the Kafka broker by Maven, once: 2 of about 50 MB, 1 s',
  ])
})
