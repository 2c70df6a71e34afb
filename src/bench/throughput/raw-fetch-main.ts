// A process that reads a topic with the worker's fetcher, and only checks and counts the records.
import { loadConfig } from '../../config/load.ts'
import { messageOf } from '../../errors.ts'
import { KafkaCluster } from '../../kafka/client/cluster.ts'
import { kafkaOptions } from '../../kafka/client/options.ts'
import { FetchThread } from '../../kafka/fetch/fetch-thread.ts'
import { type RecordVisitor, walkRecords } from '../../kafka/records/record-batch.ts'
import { createLogger } from '../../log.ts'
import { doJob } from '../job.ts'

export interface RawFetchJob {
  readonly env: Record<string, string>
  readonly messages: number
}

export interface RawFetchResult {
  /** From the first to the last records. */
  readonly seconds: number
  readonly messages: number
}

const maxWaitMs = 500

class Counter implements RecordVisitor {
  messages = 0

  record(): void {
    this.messages += 1
  }

  withoutMessage(): void {}
}

async function readAll({ env, messages }: RawFetchJob): Promise<RawFetchResult> {
  const config = loadConfig({ env })
  const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-bench-raw'))
  const metadata = await cluster.topicMetadata(config.kafkaTopic)
  const counter = new Counter()
  let firstAtMs = Number.NaN
  const done = Promise.withResolvers<number>()
  const fetcher = new FetchThread(
    {
      cluster,
      topic: config.kafkaTopic,
      log: createLogger({ level: 'warn', format: 'pretty', colour: false }),
      maxWaitMs,
      handler: {
        wants: () => true,
        records: (answer) => {
          if (Number.isNaN(firstAtMs)) firstAtMs = performance.now()
          for (const { range, from, aborted } of answer) walkRecords(range, from, aborted, counter)
          if (counter.messages >= messages) done.resolve(performance.now())
        },
        outOfRange: (partition) => done.reject(new Error(`partition ${partition} was cut`)),
        fatal: (error) => done.reject(new Error(messageOf(error))),
      },
    },
    metadata,
  )
  for (const { partition } of metadata.partitions) fetcher.seek(partition, 0)
  const lastAtMs = await done.promise
  await fetcher.stop()
  await cluster.close()
  return { seconds: (lastAtMs - firstAtMs) / 1000, messages: counter.messages }
}

doJob(readAll)
