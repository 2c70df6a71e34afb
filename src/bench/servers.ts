import { join } from 'node:path'
import { type KafkaServer, startKafka } from '../embedded/kafka/kafka-server.ts'
import { ownerRole, type PostgresServer, pipelineRole, startPostgres } from '../embedded/postgres/postgres-server.ts'
import type { Logger } from '../log.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from '../process/temporary-folder.ts'

type Role = 'owner' | 'pipeline'

/** A broker and a database for the benchmark alone, in a folder that is removed at the end. */
export interface BenchServers {
  readonly kafka: KafkaServer
  readonly postgres: PostgresServer
  /**
   * The variables with which commands find the servers: a topic, and a name for the consumer group and the database.
   */
  environment(place: { topic: string; name: string }, role: Role): Record<string, string>
  stop(): Promise<void>
}

const stopDeadlineMs = 8000

export async function startServers(log: Logger): Promise<BenchServers> {
  const folder = makeTemporaryFolder('market-kpi-bench-')
  const place = { dataDir: folder, logsDir: join(folder, 'logs'), log }
  const servers: { kafka?: KafkaServer; postgres?: PostgresServer } = {}
  const stop = async () => {
    await Promise.all([servers.kafka?.stop(stopDeadlineMs), servers.postgres?.stop(stopDeadlineMs)])
    removeTemporaryFolder(folder)
  }
  try {
    const [kafka, postgres] = await Promise.all([startKafka(place), startPostgres(place)])
    Object.assign(servers, { kafka, postgres })
    const environment = ({ topic, name }: { topic: string; name: string }, role: Role) => ({
      KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
      KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT',
      KAFKA_TOPIC: topic,
      KAFKA_GROUP: name,
      DATABASE_URL: postgres.url(role === 'owner' ? ownerRole : pipelineRole, name),
      POSTGRES_SSLMODE: 'disable',
      BI_USER_PASSWORD: postgres.secrets.pipeline,
    })
    return { kafka, postgres, environment, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
