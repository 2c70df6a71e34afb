// The worker thread of fetch-thread.ts: runs a fetcher with its own connections.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../errors.ts'
import { KafkaCluster } from '../client/cluster.ts'
import { AnswerChannel } from './answer-channel.ts'
import type { FetchHandler } from './fetch-handler.ts'
import type { ThreadCommand, ThreadRecords, ThreadReport, ThreadStart } from './fetch-thread.ts'
import { Fetcher } from './fetcher.ts'

const port = parentPort
assert(port, 'this file is started as a thread')
const { kafka, metadata, fetch, done } = workerData as ThreadStart
const seeks = new Map<number, number>()
let unwanted: ReadonlySet<number> = new Set()

/** The number of the last seek of a partition that is being read. */
function seekOf(partition: number): number {
  return seeks.get(partition) ?? -1
}

const report = (told: ThreadReport): void => port.postMessage(told)

const handOver = new AnswerChannel<ThreadRecords>({ done, post: (answer) => report({ kind: 'records', answer }) })

const handler: FetchHandler = {
  wants: (partition) => !unwanted.has(partition),
  records: (answer) => handOver.take(answer.map((fetched) => ({ ...fetched, seek: seekOf(fetched.partition) }))),
  outOfRange: (partition, offset, log) => {
    report({ kind: 'outOfRange', partition, seek: seekOf(partition), offset, log })
  },
  fatal: ({ code, message }) => report({ kind: 'fatal', code, message }),
}

const fetcher = new Fetcher(
  {
    ...fetch,
    cluster: new KafkaCluster(kafka),
    handler,
    memory: { count: 3, isShared: true },
    log: {
      info: (message) => report({ kind: 'log', level: 'info', message }),
      warn: (message) => report({ kind: 'log', level: 'warn', message }),
    },
  },
  metadata,
)

function obey(command: ThreadCommand): void {
  switch (command.kind) {
    case 'seek':
      seeks.set(command.partition, command.seek)
      fetcher.seek(command.partition, command.offset, command.epoch)
      break
    case 'remove':
      seeks.delete(command.partition)
      fetcher.remove(command.partition)
      break
    case 'unwanted':
      unwanted = new Set(command.partitions)
  }
}

port.on('message', (commands: readonly ThreadCommand[]) => {
  for (const command of commands) obey(command)
})
report({ kind: 'ready' })
