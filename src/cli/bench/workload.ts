import type { KpiError } from '../../errors.ts'
import { Feed } from '../../feed/feed.ts'
import { SimulateSource } from '../../feed/simulate/simulate-source.ts'
import { symbolNames } from '../../feed/simulate/symbols.ts'
import type { Clock } from '../../feed/source.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import { Producer } from '../../kafka/producer.ts'
import type { Compression } from '../../kafka/record-batch-writer.ts'
import type { Logger } from '../../log.ts'

/** Simulated prices, as many as told, spread evenly over so many windows of event time. */
export interface Workload {
  readonly messages: number
  readonly symbols: number
  readonly windows: number
  readonly compression: Compression
}

const windowSeconds = 300
const seed = 'bench'
const flushDeadlineMs = 60_000
/** How far the clock jumps at once: a schedule catches up on one second at most. */
const stepMs = 900

/**
 * Loads a topic with the workload. The same workload is the same bytes but for its date, which is near now.
 *
 * @returns How long it took, in seconds.
 */
export async function loadTopic(
  workload: Workload,
  target: { cluster: KafkaCluster; topic: string; log: Logger },
): Promise<number> {
  const startedAtMs = performance.now()
  const spanSeconds = workload.windows * windowSeconds
  const source = new SimulateSource(
    {
      names: symbolNames(String(workload.symbols)),
      seed,
      ratePerSecond: workload.messages / spanSeconds,
      count: workload.messages,
      disorder: 0,
      disorderSeconds: 1,
      duplicates: 0,
      bad: 0,
      pauseEverySeconds: Number.POSITIVE_INFINITY,
      pauseForSeconds: 1,
    },
    hurryingClock(startOf(spanSeconds)),
  )
  const { cluster, topic, log } = target
  const failed = (error: KpiError) => feed.fail(error)
  const producer: Producer = new Producer({ cluster, topic, log, compression: workload.compression, onFailure: failed })
  await producer.start()
  const feed: Feed = new Feed({ source, producer, clock: { now: () => Date.now(), sleep: async () => {} } })
  try {
    await feed.run(new AbortController().signal, flushDeadlineMs)
  } finally {
    producer.stop()
  }
  return (performance.now() - startedAtMs) / 1000
}

/** The start of a window, so that the span fills whole ones and ends before now. */
function startOf(spanSeconds: number): number {
  const latestMs = Date.now() - spanSeconds * 1000
  return latestMs - (latestMs % (windowSeconds * 1000))
}

/** A clock that is always as late as somebody waits for it to be. */
function hurryingClock(startMs: number): Clock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += Math.max(ms, stepMs)
    },
  }
}
