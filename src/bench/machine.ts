import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { kafkaVersion } from '../embedded/kafka/kafka-jars.ts'
import { ownerRole, type PostgresServer } from '../embedded/postgres/postgres-server.ts'
import { postgresOptions, withClient } from '../store/client/connection.ts'

/**
 * Where a report was made. Figures from different machines, or from different versions of the servers, are hardly
 * comparable.
 */
export interface Machine {
  readonly processors: string
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  readonly kafka: string
  readonly postgres: string
  readonly marketKpi: string
}

export function machineOf(postgres: string): Machine {
  const models = cpus()
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
    version: string
  }
  return {
    processors: `${models.length} × ${models[0]?.model.trim() ?? 'unknown processor'}`,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    kafka: kafkaVersion,
    postgres,
    marketKpi: version,
  }
}

export async function postgresVersion(server: PostgresServer): Promise<string> {
  const env = { DATABASE_URL: server.url(ownerRole, 'postgres'), POSTGRES_SSLMODE: 'disable' }
  const { rows } = await withClient(postgresOptions(loadConfig({ env })), (client) =>
    client.query<{ server_version: string }>('SHOW server_version'),
  )
  return rows[0]?.server_version ?? 'unknown'
}
