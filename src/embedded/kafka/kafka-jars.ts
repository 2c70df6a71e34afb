import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { KpiError, messageOf } from '../../errors.ts'
import { LineTail } from '../../process/line-tail.ts'
import { ProgressLine } from '../../process/progress-line.ts'

export const kafkaVersion = '4.4.0'
/** The log4j binding for Kafka's slf4j. It must have the same version as Kafka's log4j. */
const log4jVersion = '2.25.5'
const mainJar = `kafka_2.13-${kafkaVersion}.jar`
/** The jars, and the plug-ins that Maven downloads if it has never run. */
const downloadMegabytes = 50
const tickMs = 1000
const downloadTimeoutMs = 15 * 60_000
/** Files left by a download that was killed are removed by a later one after this time. */
const abandonedMs = 2 * downloadTimeoutMs
/** Names and sizes of the jars, in the folder of the jars. It is written after all jars are downloaded. */
const listFile = 'jars.json'

/** The download cache, shared by all data directories of this user. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const named = env.MARKET_KPI_CACHE?.trim()
  if (named) return named
  const base = env.XDG_CACHE_HOME?.trim() || join(env.HOME || homedir(), '.cache')
  return join(base, 'market-kpi')
}

/**
 * Returns the folder with the broker's jars, and downloads them with Maven if the folder is missing or incomplete.
 * Several processes may do this at once: each downloads into its own folder, and the first to finish renames its
 * folder to the final name.
 *
 * @param progress - Gets a line every five seconds during the download.
 * @param screen - If it is a terminal, it shows one line that is updated instead.
 * @throws KpiError `KPI_MAVEN_MISSING`, `KPI_DOWNLOAD_FAILED`, `KPI_DISK_FULL`.
 */
export async function ensureKafkaJars(options: {
  env?: NodeJS.ProcessEnv
  progress: (line: string) => void
  screen?: NodeJS.WriteStream
  signal?: AbortSignal
}): Promise<string> {
  const env = options.env ?? process.env
  const cache = cacheDirectory(env)
  const final = join(cache, `kafka-${kafkaVersion}`)
  if (isWhole(final)) return final
  const work = workFolder(cache)
  try {
    const jars = join(work, 'jars')
    writeFileSync(join(work, 'pom.xml'), pom)
    await runMaven({ work, jars, env, ...options })
    writeList(jars)
    moveInto(jars, final, join(work, 'old'))
    return final
  } catch (error) {
    if (error instanceof KpiError) throw error
    throw cacheProblem(cache, error)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * Whether every jar exists with its full size. After an interrupted copy or a clean-up, only part of the cache may
 * exist.
 */
function isWhole(folder: string): boolean {
  try {
    const list = JSON.parse(readFileSync(join(folder, listFile), 'utf8')) as Record<string, number>
    return Object.entries(list).every(([name, bytes]) => statSync(join(folder, name)).size === bytes)
  } catch {
    return false
  }
}

function writeList(jars: string): void {
  if (!existsSync(join(jars, mainJar))) {
    throw new KpiError('KPI_DOWNLOAD_FAILED', `Maven ended well but brought no ${mainJar}: look into your settings.xml`)
  }
  const list = Object.fromEntries(readdirSync(jars).map((name) => [name, statSync(join(jars, name)).size]))
  writeFileSync(join(jars, listFile), `${JSON.stringify(list, undefined, 1)}\n`)
}

function workFolder(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true })
    for (const name of readdirSync(cache).filter((entry) => entry.startsWith(workPrefix))) {
      const path = join(cache, name)
      const changedAtMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
      if (Date.now() - changedAtMs > abandonedMs) rmSync(path, { recursive: true, force: true })
    }
    return mkdtempSync(join(cache, workPrefix))
  } catch (error) {
    throw cacheProblem(cache, error)
  }
}

const workPrefix = `.kafka-${kafkaVersion}-`

function cacheProblem(cache: string, error: unknown): KpiError {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new KpiError('KPI_DISK_FULL', `no space for the Kafka broker in the download cache ${cache}: free some`)
  }
  return new KpiError(
    'KPI_DOWNLOAD_FAILED',
    `cannot write the download cache ${cache} (${messageOf(error)}): set MARKET_KPI_CACHE to a folder of yours`,
    { cause: error },
  )
}

/** Renames the downloaded folder to the final name, and moves an incomplete folder of that name out of the way. */
function moveInto(jars: string, final: string, old: string): void {
  for (;;) {
    if (isWhole(final)) return
    try {
      renameSync(jars, final)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error
      renameIfThere(final, old)
    }
  }
}

/** The source may be missing, because another process may have renamed it first. */
function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>market-kpi</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${kafkaVersion}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>${log4jVersion}</version>
    </dependency>
  </dependencies>
</project>
`

interface MavenRun {
  readonly work: string
  readonly jars: string
  readonly env: NodeJS.ProcessEnv
  readonly progress: (line: string) => void
  readonly screen?: NodeJS.WriteStream
  readonly signal?: AbortSignal
}

async function runMaven({ work, jars, env, progress, screen, signal }: MavenRun): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${jars}`]
  const timeout = AbortSignal.timeout(downloadTimeoutMs)
  const maven = spawn('mvn', ['-B', '-Dstyle.color=never', '-f', join(work, 'pom.xml'), ...goal], {
    env,
    cwd: work,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  })
  const tail = new LineTail()
  const line = new ProgressLine({ print: progress, ...(screen ? { screen } : {}) })
  const meter = new DownloadMeter((text) => line.show(text))
  maven.once('spawn', () => meter.tell())
  // Maven prints nothing while it downloads a large file.
  const ticking = setInterval(() => meter.tell(), tickMs)
  for (const stream of [maven.stdout, maven.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      for (const line of tail.push(chunk)) meter.read(line)
    })
  }
  let problem: unknown
  const code = await new Promise<number | null>((resolve) => {
    maven.once('error', (error) => {
      problem = error
      if (maven.pid === undefined) resolve(null)
    })
    maven.once('close', resolve)
  })
  clearInterval(ticking)
  line.end()
  if (code !== 0) throw mavenFailure({ code, problem, tail, timedOut: timeout.aborted })
}

function mavenFailure(end: { code: number | null; problem: unknown; tail: LineTail; timedOut: boolean }): KpiError {
  const { code, problem, tail } = end
  if ((problem as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    return new KpiError(
      'KPI_MAVEN_MISSING',
      "Maven is needed once, to fetch the Kafka broker, and 'mvn' is not in PATH: install it (Debian: apt-get install maven), or name a running cluster in KAFKA_BOOTSTRAP_SERVERS",
    )
  }
  const full = tail.find(/No space left on device/)
  if (full !== undefined) {
    return new KpiError('KPI_DISK_FULL', `no space to fetch the Kafka broker: ${tidy(full)}`)
  }
  const line = tail.find(/^\[ERROR\] Failed|Could not (transfer|resolve|find)/) ?? tail.lastMeaningful()
  const timedOut = `nothing came for ${downloadTimeoutMs / 60_000} min`
  const why = end.timedOut ? timedOut : line === undefined ? `mvn ended with ${code ?? messageOf(problem)}` : tidy(line)
  return new KpiError(
    'KPI_DOWNLOAD_FAILED',
    `Maven could not fetch the Kafka broker; check the network, a proxy in ~/.m2/settings.xml, and try again: ${why}`,
  )
}

/** Removes the part of Maven's error lines that only helps Maven users. */
function tidy(line: string): string {
  return line.replace(/^\[ERROR\] /, '').replace(/ -> \[Help \d+\].*$/, '')
}

/** Adds up Maven's `Downloaded from X: … (1.2 MB at 3 MB/s)` lines, and reports how much of the total is downloaded. */
export class DownloadMeter {
  readonly #tell: (line: string) => void
  readonly #now: () => number
  readonly #startedAtMs: number
  #bytes = 0

  constructor(tell: (line: string) => void, now: () => number = () => performance.now()) {
    this.#tell = tell
    this.#now = now
    this.#startedAtMs = now()
  }

  read(line: string): void {
    const found = /Downloaded from .*\(([\d.]+) (B|kB|MB)/.exec(line)
    if (!found) return
    const unit = found[2] === 'MB' ? 1e6 : found[2] === 'kB' ? 1e3 : 1
    this.#bytes += Number(found[1]) * unit
    this.tell()
  }

  tell(): void {
    const megabytes = Math.round(this.#bytes / 1e6)
    const total = Math.max(megabytes, downloadMegabytes)
    const seconds = Math.round((this.#now() - this.#startedAtMs) / 1000)
    this.#tell(`fetching the Kafka broker by Maven, once: ${megabytes} of about ${total} MB, ${seconds} s`)
  }
}
