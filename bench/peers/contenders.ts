import { join } from 'node:path'

/** What has to be built before a contender runs. */
export type Build = 'maven' | 'python' | 'quix'

export interface Contender {
  /** `null` for market-kpi itself, which needs nothing and is started by its own benchmark. */
  readonly build: Build | null
  /** Program and arguments. */
  readonly command: readonly string[]
  /** Of the parts that matter for its speed, where they are pinned. */
  readonly versions: readonly PinnedVersion[]
  /** Whether it fills the table; the raw ones only receive. */
  readonly writesRows: boolean
  /** Slow ones get a topic of so many messages at most, so that a run takes seconds. */
  readonly maxMessages: number
}

/** A version as it stands in pom.xml (a property) or in a list of requirements (a package). */
export interface PinnedVersion {
  readonly label: string
  readonly file: 'pom.xml' | 'python/requirements.txt' | 'python/requirements-quix.txt'
  readonly name: string
}

export const peersFolder = import.meta.dirname
/** Everything that is built; git ignores it. */
export const buildFolder = join(peersFolder, '.build')
export const jvmFolder = join(buildFolder, 'jvm')

const all = Number.POSITIVE_INFINITY
const quixMessages = 200_000
const naiveMessages = 5000

const streams: PinnedVersion = { label: 'Kafka Streams', file: 'pom.xml', name: 'kafka.version' }
const javaClient: PinnedVersion = { label: 'kafka-clients', file: 'pom.xml', name: 'kafka.version' }
const flink: PinnedVersion = { label: 'Flink', file: 'pom.xml', name: 'flink.version' }
const quix: PinnedVersion = {
  label: 'Quix Streams',
  file: 'python/requirements-quix.txt',
  name: 'quixstreams[postgresql]',
}
const pythonClient: PinnedVersion = {
  label: 'confluent-kafka',
  file: 'python/requirements.txt',
  name: 'confluent-kafka',
}

export const contenders = {
  'market-kpi': { build: null, command: [], versions: [], writesRows: true, maxMessages: all },
  'kafka-streams-eos': onJvm('kafka-streams', 'peers.streams.StreamsPeer', { heap: '1g', versions: [streams] }),
  flink: onJvm('flink', 'peers.flink.FlinkPeer', { heap: '2g', versions: [flink] }),
  quix: inPython('quix', 'quix.py', { versions: [quix], maxMessages: quixMessages }),
  python: inPython('python', 'batches.py', { versions: [pythonClient] }),
  'python-naive': inPython('python', 'naive.py', { versions: [pythonClient], maxMessages: naiveMessages }),
  'raw-librdkafka': inPython('python', 'raw_librdkafka.py', { versions: [pythonClient], writesRows: false }),
  'raw-java': onJvm('raw-java', 'peers.raw.RawConsume', { heap: '1g', versions: [javaClient], writesRows: false }),
} as const satisfies Record<string, Contender>

export type ContenderName = keyof typeof contenders
export const contenderNames = Object.keys(contenders) as ContenderName[]

interface Traits {
  readonly versions: readonly PinnedVersion[]
  readonly writesRows?: boolean
  readonly maxMessages?: number
}

function onJvm(module: string, mainClass: string, { heap, ...traits }: Traits & { heap: string }): Contender {
  const folder = join(jvmFolder, module)
  const classPath = [join(folder, `${module}-1.jar`), join(folder, 'jars', '*')].join(':')
  const command = [
    'java',
    // Faster here than G1 on few cores: no concurrent threads beside the work.
    ...['-Xms256m', `-Xmx${heap}`, '-XX:+UseParallelGC'],
    // What Flink's serialisers look into.
    ...['util', 'lang', 'time'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    ...['-cp', classPath, mainClass],
  ]
  return { build: 'maven', command, writesRows: true, maxMessages: all, ...traits }
}

function inPython(build: 'python' | 'quix', script: string, traits: Traits): Contender {
  const command = [join(venvFolder(build), 'bin', 'python'), join(peersFolder, 'python', script)]
  return { build, command, writesRows: true, maxMessages: all, ...traits }
}

export function venvFolder(build: 'python' | 'quix'): string {
  return join(buildFolder, `venv-${build}`)
}
