// What the broker's own log says of its groups decides whether it is started once more. The real mix-up takes a load
// that lasts as long as a registration: here its lines are said before those of the real broker.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findKafkaPrograms, startKafka } from '../../../src/embedded/kafka/kafka-server.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { RecordingLog } from '../../recording-log.ts'

const mixedUp = [
  'Scheduling loading of metadata from __consumer_offsets-0 with epoch 140',
  'Scheduling loading of metadata from __consumer_offsets-0 with epoch 142',
  'Finished loading of metadata from __consumer_offsets-0 with epoch 140 in 373ms where 17ms was spent in the scheduler. Loaded 13627 records which total to 1540194 bytes.',
  'Ignored load completion from __consumer_offsets-0 because context is in ACTIVE state.',
]

/** Runs Java, and says so many times of a broker that it has mixed its groups up. */
function javaThatSays(folder: string, java: string, times: number): string {
  const path = join(folder, 'java')
  const starts = join(folder, 'starts')
  const lines = mixedUp.map((line) => `  echo '${line}'`).join('\n')
  const script = `#!/bin/sh
case "$*" in *kafka.Kafka*)
  echo start >> '${starts}'
  if [ "$(wc -l < '${starts}')" -le ${times} ]; then
${lines}
  fi
esac
exec '${java}' "$@"
`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

it.each([
  [0, 1],
  [2, 3],
])('a broker that mixed its groups up %i times is started %i times', async (times, starts) => {
  const folder = mkdtempSync(join(tmpdir(), 'market-kpi-groups-'))
  const log = new RecordingLog()
  const { java, jars } = await findKafkaPrograms({ log })
  const programs = { java: javaThatSays(folder, java, times), jars }
  const server = await startKafka({ dataDir: folder, logsDir: join(folder, 'logs'), log, programs })
  try {
    expect(readFileSync(join(folder, 'starts'), 'utf8')).toBe('start\n'.repeat(starts))
    expect(log.lines.filter((line) => line.includes('mixed its groups up'))).toHaveLength(times)
    const cluster = new KafkaCluster({ bootstrap: [server.bootstrap], clientId: 'groups' })
    expect((await cluster.clusterMetadata()).clusterId).not.toBe('')
    await cluster.close()
  } finally {
    await server.stop(20_000)
    rmSync(folder, { recursive: true })
  }
})
