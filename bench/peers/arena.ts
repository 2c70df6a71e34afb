import { openScene } from '../../src/bench/scene.ts'
import type { BenchServers } from '../../src/bench/servers.ts'
import { runConsume } from '../../src/bench/throughput/consume-run.ts'
import { loadTopic } from '../../src/bench/throughput/workload.ts'
import { loadConfig } from '../../src/config/load.ts'
import { KpiError, messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from '../../src/process/temporary-folder.ts'
import { postgresOptions } from '../../src/store/client/connection.ts'
import type { PlainWindow } from '../../src/verify/plain-windows.ts'
import { compareExactRows, comparePeerRows } from './compare-rows.ts'
import { type ContenderName, contenders } from './contenders.ts'
import { decimals, readExpectedWindows, windowSeconds } from './expected-windows.ts'
import { PeerProblem, runPeer } from './peer-process.ts'
import type { Outcome } from './results.ts'
import { preparePeerRows, readOwnRows, readPeerRows, settle, withDatabase } from './row-table.ts'
import { type ShapeName, shapes } from './shapes.ts'

interface LoadedTopic {
  readonly name: string
  readonly messages: number
  readonly windows: ReadonlyMap<string, PlainWindow>
}

/** Where the rows of the others go; the server makes it. */
const peerDatabase = 'bi_realtime'
const partitions = 3
const peerTimeoutMs = 20 * 60_000

/** One broker, one database, the topics, and the contenders one after the other on them. */
export class Arena {
  readonly #servers: BenchServers
  readonly #log: Logger
  readonly #say: (line: string) => void
  readonly #topics = new Map<string, LoadedTopic>()
  #ownRuns = 0

  constructor(servers: BenchServers, log: Logger, say: (line: string) => void) {
    this.#servers = servers
    this.#log = log
    this.#say = say
  }

  /** Fills a topic and works out what must come of it, the first time that somebody needs it. */
  async load(shape: ShapeName, messages: number): Promise<LoadedTopic> {
    const name = `${shape}-${messages}`
    const loaded = this.#topics.get(name) ?? (await this.#fill(name, shape, messages))
    this.#topics.set(name, loaded)
    return loaded
  }

  async #fill(name: string, shape: ShapeName, messages: number): Promise<LoadedTopic> {
    this.#say(`filling '${name}' and reading it back`)
    const scene = await openScene(this.#servers, { topic: name, partitions, name: `fill-${name}` }, this.#log)
    try {
      const workload = { messages, ...shapes[shape], compression: 'none', unusualPercent: 0 } as const
      await loadTopic(workload, { cluster: scene.cluster, topic: name, log: this.#log })
      return { name, messages, windows: await readExpectedWindows(scene, messages) }
    } finally {
      await scene.close()
    }
  }

  /** One contender, once. What goes wrong with it is its outcome, and nobody else's. */
  async run(name: ContenderName, shape: ShapeName, messages: number): Promise<Outcome> {
    const topic = await this.load(shape, Math.min(messages, contenders[name].maxMessages))
    try {
      return name === 'market-kpi' ? await this.#runOwn(topic) : await this.#runPeer(name, topic)
    } catch (error) {
      if (!(error instanceof PeerProblem || error instanceof KpiError)) throw error
      return { problem: messageOf(error) }
    }
  }

  /** `market-kpi consume`, one worker, default settings, with a database and a group of its own. */
  async #runOwn(topic: LoadedTopic): Promise<Outcome> {
    const name = `own-${++this.#ownRuns}`
    const scene = await openScene(this.#servers, { topic: topic.name, partitions, name }, this.#log)
    try {
      await settle(scene.database)
      const run = await runConsume(scene, { messages: topic.messages, workers: 1 })
      const check = compareExactRows(await readOwnRows(scene.database), topic.windows, { windowSeconds, decimals })
      const { messages, seconds, wholeSeconds, cpuSeconds, peakMemoryMb } = run
      return { messages, seconds, startSeconds: wholeSeconds - seconds, cpuSeconds, peakMemoryMb, check }
    } finally {
      await scene.close()
    }
  }

  async #runPeer(name: ContenderName, topic: LoadedTopic): Promise<Outcome> {
    const { command, writesRows } = contenders[name]
    const config = loadConfig({ env: this.#servers.environment({ topic: topic.name, name: peerDatabase }, 'owner') })
    const postgres = postgresOptions(config)
    const stateDir = makeTemporaryFolder('market-kpi-peer-')
    const env = {
      PEER_BROKERS: this.#servers.kafka.bootstrap,
      PEER_TOPIC: topic.name,
      PEER_MESSAGES: String(topic.messages),
      PEER_STATE_DIR: stateDir,
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGDATABASE: postgres.database,
      PGUSER: postgres.user,
      PGPASSWORD: postgres.password ?? '',
    }
    try {
      return await withDatabase(postgres, async (database) => {
        await preparePeerRows(database)
        const run = await runPeer({ command, env, timeoutMs: peerTimeoutMs })
        return { ...run, check: writesRows ? comparePeerRows(await readPeerRows(database), topic.windows) : null }
      })
    } finally {
      removeTemporaryFolder(stateDir)
    }
  }
}
