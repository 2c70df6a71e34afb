import { Producer, stringSerializers } from '@platformatic/kafka'
import { messageOf } from '../../../src/errors.ts'
import { Random } from '../../../src/feed/simulate/random.ts'
import type { Scene } from '../actions.ts'
import type { Action } from '../plan.ts'
import { knownMessage, nameOf } from '../records/known-messages.ts'
import { nameHeader } from '../records/partition-log.ts'
import { abortHanging } from './hanging-transactions.ts'
import { untilSettled } from './replicas.ts'

const timeoutMs = { usual: 60_000, left: 8000 }
/** Beyond the time-out of the transaction, and the ten seconds between the brokers' looks at it. */
const endedLimitMs = 100_000
const abortedLimitMs = 30_000
const mostMessages = 30

/** How a transaction is known to have ended; `unknown` where no answer came. */
export type Outcome = 'committed' | 'aborted' | 'unknown'

export interface KnownTransaction {
  /** The stream of its messages, and how many of them were acknowledged. */
  readonly stream: string
  count: number
  outcome: Outcome
}

/**
 * Another application's transaction on the same topic, held open while the usual producers go on: nobody can read past it
 * meanwhile. It commits, aborts, or its process is gone and the brokers end it.
 */
export function openTransaction(scene: Scene, action: Action): Promise<string> {
  return scene.transactions.run(async () => {
    const way = (['commit', 'abort', 'leave'] as const)[new Random(action.seed).below(3)] ?? 'commit'
    const transaction: KnownTransaction = { stream: `${action.seed} transaction`, count: 0, outcome: 'unknown' }
    scene.known.push(transaction)
    const told = await transact(scene, action, transaction, way)
    // Whatever became of it: nothing may be open when the next one, or an election, begins.
    return (await isSettled(scene, endedLimitMs)) ? told : `${told}; ${await abortAsAdministrator(scene)}`
  })
}

async function isSettled(scene: Scene, limitMs: number): Promise<boolean> {
  return untilSettled(scene, limitMs).then(
    () => true,
    () => false,
  )
}

/**
 * A coordinator that comes back before it knows the leaders of a topic takes its partitions for deleted, writes no markers
 * there, and holds the transaction for ended (Kafka 4.4.0: "Couldn't find leader endpoint for partitions"): it hangs for
 * ever. docs/alerts/TransactionStuck.md says what to do then.
 */
async function abortAsAdministrator(scene: Scene): Promise<string> {
  await abortHanging(scene.cluster, scene.topic)
  await untilSettled(scene, abortedLimitMs)
  return 'it hung, and was aborted by hand'
}

async function transact(
  { stack, topic, pause, load }: Scene,
  { forMs, seed }: Action,
  known: KnownTransaction,
  way: 'commit' | 'abort' | 'leave',
): Promise<string> {
  const random = new Random(`${seed} transaction`)
  const producer = new Producer({
    clientId: known.stream,
    bootstrapBrokers: stack.bootstrap,
    serializers: stringSerializers,
    idempotent: true,
    transactionalId: known.stream,
    // The brokers end it after so long.
    timeout: way === 'leave' ? timeoutMs.left : timeoutMs.usual,
  })
  producer.on('error', () => undefined)
  try {
    const transaction = await producer.beginTransaction()
    const count = 1 + random.below(mostMessages)
    const send = async () => {
      const index = load.count + known.count
      const { key, value } = knownMessage(known.stream, index)
      const headers = { [nameHeader]: nameOf(known.stream, index) }
      await transaction.send({ messages: [{ topic, key, value, headers }] })
      known.count += 1
    }
    while (known.count < count / 2) await send()
    await pause(forMs)
    while (known.count < count) await send()
    if (way === 'leave') return `${known.count} messages, left to the brokers`
    await transaction[way]()
    known.outcome = way === 'commit' ? 'committed' : 'aborted'
    return `${known.count} messages, ${known.outcome}`
  } catch (error) {
    return `${known.count} messages, left to the brokers after: ${reasonOf(error)}`
  } finally {
    await producer.close(true).catch(() => undefined)
  }
}

/** The library wraps what happened, several times over. */
function reasonOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : []
  const cause = first ?? (error instanceof Error ? error.cause : undefined)
  return cause === undefined ? messageOf(error) : reasonOf(cause)
}
