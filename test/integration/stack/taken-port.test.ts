// Between the choice of a port and the listening there is the start of a JVM: somebody else takes it meanwhile.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startKafka } from '../../../src/embedded/kafka/kafka-server.ts'
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { silentLog } from '../scenes/pipeline.ts'
import { until } from '../scenes/until.ts'

/** The port that the broker is going to listen at. */
function chosenPort(dataDir: string): number | undefined {
  try {
    const config = readFileSync(join(dataDir, 'config', 'kafka.properties'), 'utf8')
    return Number(/^listeners=PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/m.exec(config)?.[1])
  } catch {
    return undefined
  }
}

it('a broker whose port is taken while it starts gets another one', async () => {
  using folder = temporaryFolder()
  const stranger = createServer()
  const starting = startKafka({ dataDir: folder.path, logsDir: join(folder.path, 'logs'), log: silentLog })
  try {
    const port = await until(
      'told of its port',
      () => chosenPort(folder.path),
      (found) => found !== undefined,
    )
    await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve))
    const server = await starting
    expect(server.port).not.toBe(port)
    const cluster = new KafkaCluster({ bootstrap: [server.bootstrap], clientId: 'taken-port' })
    expect((await cluster.clusterMetadata()).clusterId).not.toBe('')
    await cluster.close()
  } finally {
    stranger.close()
    await (await starting).stop(20_000)
  }
})
