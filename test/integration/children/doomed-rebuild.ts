// A rebuild in a process of its own that kills itself, by SIGKILL, at one of its steps: node doomed-rebuild.ts STEP.
// Its servers are named by the environment.

import { loadConfig } from '../../../src/config/load.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { kafkaOptions } from '../../../src/kafka/client/options.ts'
import { rebuild } from '../../../src/rebuild/rebuild.ts'
import { definitionOf } from '../../../src/services/definition.ts'
import { postgresOptions } from '../../../src/store/client/connection.ts'

const [step = ''] = process.argv.slice(2)
const config = loadConfig({})
const cluster = new KafkaCluster(kafkaOptions(config, 'doomed-rebuild'))
const metadata = await cluster.topicMetadata(config.kafkaTopic)
await rebuild({
  cluster,
  metadata,
  postgres: postgresOptions(config),
  definition: definitionOf(config, metadata),
  scope: 'all',
  isDryRun: false,
  maxPayloads: 1000,
  now: Date.now,
  onStep: async (reached) => {
    if (reached === step) process.kill(process.pid, 'SIGKILL')
  },
})
