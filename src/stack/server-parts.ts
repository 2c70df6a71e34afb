import { type KafkaPrograms, type KafkaServer, startKafka } from '../embedded/kafka/kafka-server.ts'
import { type PostgresServer, startPostgres } from '../embedded/postgres/postgres-server.ts'
import type { Logger } from '../log.ts'
import { type PortBook, startAtFreePort } from '../process/ports.ts'
import type { RunRecords } from '../process/run-records.ts'
import { stopPlanOf } from '../process/stop-order.ts'
import type { Part } from '../process/supervisor.ts'

/** What the embedded servers need from their stack. */
export interface ServerDependencies {
  readonly dataDir: string
  readonly logsDir: string
  readonly records: RunRecords
  readonly ports: PortBook
  readonly log: Logger
}

/** The embedded broker. A restart uses the same port, because its clients reconnect to that port. */
export function kafkaPart(
  around: ServerDependencies,
  options: { port: number; env: NodeJS.ProcessEnv; programs: KafkaPrograms },
): Part<KafkaServer> {
  return serverPart({ name: 'kafka', title: 'Kafka', around, preferred: options.port }, (port, signal) =>
    startKafka({ ...around, ...options, port, signal }),
  )
}

/** The embedded database. It also keeps its port. */
export function postgresPart(
  around: ServerDependencies,
  options: { port: number; database: string },
): Part<PostgresServer> {
  return serverPart({ name: 'postgres', title: 'PostgreSQL', around, preferred: options.port }, (port, signal) =>
    startPostgres({ ...around, database: options.database, port, signal }),
  )
}

interface Placing {
  readonly name: string
  readonly title: string
  readonly around: ServerDependencies
  readonly preferred: number
}

function serverPart<S extends KafkaServer | PostgresServer>(
  placing: Placing,
  start: (port: number, signal: AbortSignal) => Promise<S>,
): Part<S> {
  const { stage, deadlineMs } = stopPlanOf(placing.name)
  let settled: number | undefined
  return {
    name: placing.name,
    stage,
    stopDeadlineMs: deadlineMs,
    start: async (signal) => {
      if (settled !== undefined) return start(settled, signal)
      const server = await startSomewhere(placing, (port) => start(port, signal))
      settled = server.port
      return server
    },
  }
}

function startSomewhere<S>(placing: Placing, start: (port: number) => Promise<S>): Promise<S> {
  const { title, preferred, around } = placing
  return startAtFreePort(async () => {
    const port = await around.ports.choose(preferred)
    if (preferred !== 0 && port !== preferred) around.log.warn(`port ${preferred} is taken: ${title} gets ${port}`)
    return start(port)
  })
}
