// The thread of fetch-thread.ts: a fetcher with connections of its own.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../errors.ts'
import { AnswerMemory } from './answer-memory.ts'
import { KafkaCluster } from './cluster.ts'
import type { ThreadCommand, ThreadReport, ThreadStart } from './fetch-thread.ts'
import { type FetchedRecords, Fetcher, type FetchHandler } from './fetcher.ts'
import { unpackedPieces } from './unpacked-answer.ts'

const { kafka, metadata, fetch, done } = workerData as ThreadStart
const seeks = new Map<number, number>()
let unwanted: ReadonlySet<number> = new Set()
let handedOver = 0
/** A piece is written while the one before it is read. */
const unpackMemory = new AnswerMemory({ turns: 2, isShared: true })

function report(told: ThreadReport): void {
  parentPort?.postMessage(told)
}

/** Until all answers but the last are done: it and the next one have memory besides the one that is gathered. */
async function oneIsLeft(): Promise<void> {
  for (const wanted = handedOver - 1; ; ) {
    const count = Atomics.load(done, 0)
    if (((wanted - count) | 0) <= 0) return
    await Atomics.waitAsync(done, 0, count).value
  }
}

async function handOver(answer: readonly FetchedRecords[], since: ReadonlyMap<number, number>): Promise<void> {
  for (const piece of unpackedPieces(answer, unpackMemory)) {
    report({ kind: 'records', answer: piece.map((one) => ({ fetched: one, seek: since.get(one.partition) ?? -1 })) })
    handedOver = (handedOver + 1) | 0
    await oneIsLeft()
  }
}

/** One answer after the other, whichever broker sent it. */
let handingOver: Promise<void> = Promise.resolve()

const handler: FetchHandler = {
  wants: (partition) => !unwanted.has(partition),
  records: (answer: readonly FetchedRecords[]) => {
    const since = new Map(seeks)
    handingOver = handingOver.then(() => handOver(answer, since))
    return handingOver
  },
  outOfRange: (partition, offset, log) => {
    report({ kind: 'outOfRange', partition, seek: seeks.get(partition) ?? -1, offset, log })
  },
  fatal: ({ code, message }) => report({ kind: 'fatal', code, message }),
}

const fetcher = new Fetcher(
  {
    ...fetch,
    cluster: new KafkaCluster(kafka),
    handler,
    memory: { turns: 3, isShared: true },
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
      fetcher.seek(command.partition, command.offset)
      break
    case 'remove':
      seeks.delete(command.partition)
      fetcher.remove(command.partition)
      break
    case 'unwanted':
      unwanted = new Set(command.partitions)
  }
}

assert(parentPort, 'this file is started as a thread')
parentPort.on('message', (commands: readonly ThreadCommand[]) => {
  for (const command of commands) obey(command)
})
