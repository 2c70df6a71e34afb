import type { KpiError } from '../../errors.ts'
import { Feed } from '../../feed/feed.ts'
import { type SimulateOptions, SimulateSource } from '../../feed/simulate/simulate-source.ts'
import { symbolNames } from '../../feed/simulate/symbols.ts'
import type { PriceSource } from '../../feed/source.ts'
import type { KafkaCluster } from '../../kafka/client/cluster.ts'
import { Producer } from '../../kafka/produce/producer.ts'
import type { Compression } from '../../kafka/records/record-batch-writer.ts'
import type { Logger } from '../../log.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { UnusualSource } from './unusual-source.ts'

/** A number of simulated prices, spread evenly over a number of windows of event time. */
export interface Workload {
  readonly messages: number
  readonly symbols: number
  readonly windows: number
  readonly compression: Compression
  /** Percentage of messages that the fast scan does not support. */
  readonly unusualPercent: number
}

const windowSeconds = 300
const flushDeadlineMs = 60_000
/** How far the clock advances at once; a schedule catches up on one second at most. */
const stepMs = 900

/** A market without disorder, duplicates, pauses or bad messages. */
export function orderlyMarket(options: { symbols: number; ratePerSecond: number; count: number }): SimulateOptions {
  return {
    names: symbolNames(String(options.symbols)),
    seed: 'bench',
    ratePerSecond: options.ratePerSecond,
    count: options.count,
    disorder: 0,
    disorderSeconds: 1,
    duplicates: 0,
    bad: 0,
    pauseEverySeconds: Number.POSITIVE_INFINITY,
    pauseForSeconds: 1,
  }
}

/**
 * Fills a topic with the workload. The same workload always gives the same bytes, except for the dates, which are
 * recent.
 *
 * @returns How long it took, in seconds.
 */
export async function loadTopic(
  workload: Workload,
  target: { cluster: KafkaCluster; topic: string; log: Logger },
): Promise<number> {
  const startedAtMs = performance.now()
  const { cluster, topic, log } = target
  const failed = (error: KpiError) => feed.fail(error)
  const producer: Producer = new Producer({ cluster, topic, log, compression: workload.compression, onFailure: failed })
  await producer.start()
  const source = sourceOf(workload)
  const feed: Feed = new Feed({ source, producer, clock: systemClock })
  try {
    await feed.run(new AbortController().signal, flushDeadlineMs)
  } finally {
    producer.stop()
  }
  return (performance.now() - startedAtMs) / 1000
}

function sourceOf({ messages, symbols, windows, unusualPercent }: Workload): PriceSource {
  const spanSeconds = windows * windowSeconds
  const market = orderlyMarket({ symbols, ratePerSecond: messages / spanSeconds, count: messages })
  const source = new SimulateSource(market, fastClock(startOf(spanSeconds)))
  return unusualPercent > 0 ? new UnusualSource(source, unusualPercent) : source
}

/** The start of a window, chosen so that the workload fills whole windows and ends before now. */
function startOf(spanSeconds: number): number {
  const latestMs = Date.now() - spanSeconds * 1000
  return latestMs - (latestMs % (windowSeconds * 1000))
}

/** A clock that never waits: callbacks are called at once, and the time advances accordingly. */
export function fastClock(startMs: number): Clock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    wallMs: () => nowMs,
    after: (ms, callback) => {
      nowMs += Math.max(ms, stepMs)
      queueMicrotask(callback)
      return () => undefined
    },
    random: Math.random,
  }
}
