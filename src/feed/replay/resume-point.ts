import { KpiError } from '../../errors.ts'
import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import { retry } from '../../kafka/client/retry.ts'
import { findLastRecords } from '../../kafka/log/last-record.ts'
import type { ProducerTrace } from '../../kafka/produce/producer-partition.ts'
import type { Logger } from '../../log.ts'
import { isSameFile, type LinePlace, MarkWriter, type ReplayPass, readMark, readPass } from './line-mark.ts'
import type { ReplayFile } from './replay-file.ts'

/** Where the last pass over a file stopped. */
export interface ResumePoint {
  readonly pass: ReplayPass
  /** The last line in each partition. All earlier lines of that partition are in the topic, too. */
  readonly lines: ReadonlyMap<number, LinePlace>
  /** The producers that wrote these lines. */
  readonly producers: ReadonlyMap<number, ProducerTrace>
}

export interface ResumeSearch {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly file: ReplayFile
  readonly log: Logger
}

const progressBytes = 1024 * 1024 * 1024

/**
 * Searches the end of each partition for the last lines of the file, between and before records of others. Lines are
 * sent in order and each partition keeps that order, but the partitions do not advance equally. Therefore each has
 * its own last line.
 *
 * @returns undefined when the topic has no line of the file.
 * @throws KpiError `KPI_FEED_FILE` when the topic had a different number of partitions at the time.
 */
export async function findResumePoint(search: ResumeSearch, signal: AbortSignal): Promise<ResumePoint | undefined> {
  const { cluster, topic, file } = search
  // The metadata shows at once whether the topic exists. It may become readable a moment later.
  let metadata = await cluster.topicMetadata(topic)
  const marks = new MarkFinder(file.prefix)
  const match = (buffer: Buffer, valueEnd: number) => marks.find(buffer, valueEnd)
  const found = await retry(async () => {
    metadata = await cluster.topicMetadata(topic)
    return findLastRecords({ cluster, metadata, match, progress: reportProgress(search) }, signal)
  }, signal)
  const latest = found.reduce<ReplayPass | undefined>((best, { match: { pass } }) => {
    return best && best.startedAtMs >= pass.startedAtMs ? best : pass
  }, undefined)
  if (!latest) return undefined
  checkPartitions(search, latest, metadata.partitions.length)
  const ofLatest = found.filter(({ match }) => match.pass.startedAtMs === latest.startedAtMs)
  return {
    pass: latest,
    lines: new Map(ofLatest.map(({ partition, match }) => [partition, match.place])),
    producers: new Map(ofLatest.flatMap(({ partition, producer }) => (producer ? [[partition, producer]] : []))),
  }
}

function checkPartitions({ topic, file }: ResumeSearch, pass: ReplayPass, partitionCount: number): void {
  if (pass.partitionCount === partitionCount) return
  throw new KpiError(
    'KPI_FEED_FILE',
    `${file.path} was sent when '${topic}' had ${pass.partitionCount} partitions, it has ${partitionCount} now: where to continue is unknown; --from-start sends all of it again`,
  )
}

function reportProgress({ topic, file, log }: ResumeSearch): (bytes: number) => void {
  let next = progressBytes
  return (bytes) => {
    if (bytes < next) return
    next = bytes + progressBytes
    log.info(
      `looking in '${topic}' for the last line of ${file.path}: ${Math.round(bytes / 2 ** 20)} MiB read, none yet (--from-start would not look)`,
    )
  }
}

/** Limits memory for a topic that was used for many files. */
const maxKnown = 10_000

/** Finds the marks of one file in the headers of a topic's records, most of which may come from other files. */
class MarkFinder {
  readonly #prefix: Buffer
  /** The passes seen in headers, each parsed once; undefined for passes over other files. */
  readonly #passes = new Map<string, ReplayPass | undefined>()
  /** The beginning of the headers of another file's records. */
  #foreign: Buffer = Buffer.alloc(0)

  constructor(prefix: Buffer) {
    this.#prefix = prefix
  }

  find(buffer: Buffer, valueEnd: number): { pass: ReplayPass; place: LinePlace } | undefined {
    if (this.#isForeign(buffer, valueEnd)) return undefined
    const mark = readMark(buffer, valueEnd)
    if (!mark) return undefined
    const pass = this.#passOf(mark.pass)
    if (pass) return { pass, place: mark.place }
    this.#foreign = new MarkWriter(mark.pass).start
    return undefined
  }

  #isForeign(buffer: Buffer, valueEnd: number): boolean {
    const foreign = this.#foreign
    for (let i = 0; i < foreign.length; i++) if (foreign[i] !== buffer[valueEnd + i]) return false
    return foreign.length > 0
  }

  #passOf(text: string): ReplayPass | undefined {
    if (this.#passes.has(text)) return this.#passes.get(text)
    const pass = readPass(text)
    const own = pass && isSameFile(pass, this.#prefix) ? pass : undefined
    if (this.#passes.size === maxKnown) this.#passes.clear()
    this.#passes.set(text, own)
    return own
  }
}
