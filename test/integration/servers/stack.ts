// One real broker and one real database for all integration tests, started before them and gone after them, also after
// a failure. Each test makes a topic and a database of its own on them: see pipeline.ts.
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type KafkaServer, startKafka } from '../../../src/embedded/kafka/kafka-server.ts'
import { ownerRole, type PostgresServer, startPostgres } from '../../../src/embedded/postgres/postgres-server.ts'
import { createLogger } from '../../../src/log.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from '../../../src/process/temporary-folder.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** `127.0.0.1:PORT` of the broker. */
    readonly bootstrap: string
    /** `postgresql://…` of the owner, at the database `postgres`. */
    readonly ownerUrl: string
    readonly pipelinePassword: string
    readonly readerPassword: string
  }
}

const stopDeadlineMs = 8000
let folder: string | undefined
let kafka: KafkaServer | undefined
let postgres: PostgresServer | undefined

export async function setup(project: TestProject): Promise<void> {
  folder = makeTemporaryFolder('market-kpi-stack-')
  // vitest ends by SIGINT as it should; these would end it without its teardown.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  const log = createLogger({ level: 'warn', format: 'pretty' })
  const place = { dataDir: folder, logsDir: join(folder, 'logs'), log }
  ;[kafka, postgres] = await Promise.all([startKafka(place), startPostgres(place)])
  project.provide('bootstrap', kafka.bootstrap)
  project.provide('ownerUrl', postgres.url(ownerRole, 'postgres'))
  project.provide('pipelinePassword', postgres.secrets.pipeline)
  project.provide('readerPassword', postgres.secrets.reader)
}

export async function teardown(): Promise<void> {
  await Promise.all([kafka?.stop(stopDeadlineMs), postgres?.stop(stopDeadlineMs)])
  if (folder !== undefined) removeTemporaryFolder(folder)
}
