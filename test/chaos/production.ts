import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ownerRole, pipelineRole, type readerRole } from '../../src/embedded/postgres/postgres-server.ts'
import { messageOf } from '../../src/errors.ts'
import { KafkaCluster } from '../../src/kafka/client/cluster.ts'
import { createLogger } from '../../src/log.ts'
import { until } from '../integration/scenes/until.ts'
import type { Scene } from './actions.ts'
import type { ChaosOptions } from './chaos-options.ts'
import { ChaosRun } from './chaos-run.ts'
import { Crew } from './crew.ts'
import { FaultBook } from './fault-book.ts'
import { DatabaseSessions } from './faults/database-sessions.ts'
import { processesWith } from './faults/processes-of.ts'
import { setTopicConfigs } from './faults/replicas.ts'
import { Load } from './load.ts'
import { Mutex } from './mutex.ts'
import { Operator } from './operator.ts'
import { OwnStack } from './own-stack.ts'
import type { Round } from './plan.ts'
import { QuietPoint } from './quiet-point.ts'
import { Losses } from './records/losses.ts'

export interface ProductionOptions {
  readonly options: ChaosOptions
  readonly plan: readonly Round[]
  /** Of the servers; its name is a mark by which their processes are known. */
  readonly folder: string
  readonly logsDir: string
  readonly say: (line: string) => void
  /** Why disks cannot be filled here. */
  readonly diskObstacle: string | undefined
}

const topic = 'market-prices'
const group = 'market-kpi-processor'
const startLimitMs = 60_000
const mostFailuresTold = 20
/** Small, so that segments come and go while they are read. */
const segmentBytes = 16 * 1024 * 1024
const root = join(import.meta.dirname, '..', '..')
const log = createLogger({ level: 'warn', format: 'pretty' })

/** Sets the scene, has the schedule performed, and clears everything away. */
export class Production {
  readonly #given: ProductionOptions
  readonly #failures: string[] = []
  readonly #ending = new AbortController()
  readonly #faults = new FaultBook()
  readonly #clusters: KafkaCluster[] = []
  #run: ChaosRun | undefined
  #quietPoint: QuietPoint | undefined

  constructor(given: ProductionOptions) {
    this.#given = given
  }

  /** Something that must not be; the first one ends the run. */
  readonly failed = (why: string): void => {
    const position = this.#run?.position ?? 'start'
    this.#failures.push(`${position}: ${why}`)
    if (this.#failures.length <= mostFailuresTold) this.#given.say(`FAILED at ${position}: ${why}`)
    this.#ending.abort()
  }

  readonly #pause = async (ms: number): Promise<void> => {
    const { signal } = this.#ending
    // Not nothing, so that nobody who looks again and again keeps the machine busy.
    if (signal.aborted) await delay(Math.min(ms, 50))
    else await delay(ms, undefined, { signal }).catch(() => undefined)
  }

  /** @returns Whether all was as it must be. */
  async run(): Promise<boolean> {
    const { folder, say, options, plan, logsDir } = this.#given
    say(`seed ${options.seed}, ${options.minutes} minutes, ${plan.length} rounds; logs in ${logsDir}`)
    try {
      const { brokers } = options
      const stack = await OwnStack.start({
        ...this.#given,
        log,
        brokers,
        hasDisks: this.#hasDisks,
        failed: this.failed,
      })
      try {
        await this.#perform(stack)
      } finally {
        await stack.stop()
      }
    } catch (error) {
      this.failed(messageOf(error))
    }
    for (const left of processesWith(folder)) this.failed(`a process was left: ${left}`)
    if (this.#failures.length > 0) say(`FAILED: seed ${options.seed}; logs in ${logsDir}`)
    else say(`all as it must be: seed ${options.seed}; logs in ${logsDir}`)
    return this.#failures.length === 0
  }

  get #hasDisks(): boolean {
    return this.#given.diskObstacle === undefined
  }

  async #perform(stack: OwnStack): Promise<void> {
    const { say } = this.#given
    await this.#initialise(stack)
    const scene = this.#makeScene(stack)
    const { crew, load } = scene
    const quietPoint = this.#makeQuietPoint(scene)
    this.#quietPoint = quietPoint
    const operator = this.#makeOperator(stack)
    const { signal } = this.#ending
    this.#run = new ChaosRun({
      rounds: this.#given.plan,
      scene,
      faults: this.#faults,
      quietPoint,
      say,
      failed: this.failed,
      signal,
    })
    try {
      for (const worker of crew.workers) worker.start()
      const states = () => crew.workers.map(({ state }) => state)
      await until('a crew at work', states, (found) => found.every((state) => state === 'up'), startLimitMs)
      say('brokers, database and workers are up')
      operator.start()
      await this.#run.run()
    } finally {
      await load.stop()
      await operator.stop()
      await (signal.aborted ? crew.kill() : crew.stop())
      await Promise.all(this.#clusters.map((cluster) => cluster.close()))
    }
    this.#summarise(scene, quietPoint)
  }

  /** Topic, schema and roles, by the command that users have for it. */
  async #initialise(stack: OwnStack): Promise<void> {
    const { secrets } = stack.postgres.server
    const env = {
      ...process.env,
      ...this.#environment(stack, ownerRole),
      BI_USER_PASSWORD: secrets.pipeline,
      BI_READER_PASSWORD: secrets.reader,
    }
    const args = [join(root, 'bin', 'market-kpi.js'), 'init']
    // Not synchronously: the proxies on its way live in this process.
    await promisify(execFile)(process.execPath, args, { cwd: root, env })
    const cluster = this.#cluster(stack, 'chaos-init')
    await setTopicConfigs(cluster, topic, {
      'segment.bytes': String(segmentBytes),
      'min.insync.replicas': '1',
    })
  }

  /** What programs that go through the proxies need. */
  #environment(stack: OwnStack, role: typeof ownerRole | typeof pipelineRole | typeof readerRole) {
    const url = new URL(stack.postgres.server.url(role))
    url.port = String(stack.wayToPostgres.port)
    return {
      KAFKA_BOOTSTRAP_SERVERS: stack.bootstrap.join(','),
      KAFKA_TOPIC: topic,
      KAFKA_GROUP: group,
      KAFKA_PARTITIONS: String(this.#given.options.partitions),
      DATABASE_URL: url.href,
      MARKET_KPI_CHAOS_RUN: this.#given.folder,
    }
  }

  #makeScene(stack: OwnStack): Scene {
    const { options, logsDir, say, diskObstacle } = this.#given
    const { failed } = this
    const cluster = this.#cluster(stack, 'chaos')
    const wasDisturbedSince = (sinceMs: number) => this.#faults.wasDisturbedSince(sinceMs)
    const env = this.#environment(stack, pipelineRole)
    const { server } = stack.postgres
    return {
      stack,
      cluster,
      topic,
      diskObstacle,
      transactions: new Mutex(),
      known: [],
      losses: new Losses(),
      checkedEnd: (partition) => this.#quietPoint?.checkedEnd(partition) ?? 0,
      pause: this.#pause,
      crew: new Crew(options.workers, { env, logsDir, say, failed, wasDisturbedSince }),
      sessions: new DatabaseSessions(
        { owner: () => server.url(ownerRole), pipeline: () => server.url(pipelineRole) },
        this.#pause,
      ),
      load: new Load({
        cluster: this.#cluster(stack, 'chaos-load'),
        topic,
        seed: options.seed,
        rate: options.rate,
        log,
        failed,
      }),
      note: ({ position }, text) => say(`${position.padStart(6)} ${text}`),
    }
  }

  #makeOperator(stack: OwnStack): Operator {
    const { logsDir, say } = this.#given
    const env = this.#environment(stack, pipelineRole)
    return new Operator({ env, logsDir, say, pause: this.#pause, signal: this.#ending.signal })
  }

  /** By the addresses that the brokers give to everybody. */
  #cluster(stack: OwnStack, clientId: string): KafkaCluster {
    const cluster = new KafkaCluster({ bootstrap: stack.bootstrap, clientId })
    this.#clusters.push(cluster)
    return cluster
  }

  #makeQuietPoint(scene: Scene): QuietPoint {
    const { options, say } = this.#given
    const { server } = scene.stack.postgres
    return new QuietPoint({
      ...scene,
      group,
      seed: options.seed,
      ownerUrl: () => server.url(ownerRole),
      say,
      failed: this.failed,
      signal: this.#ending.signal,
    })
  }

  #summarise({ load }: Scene, quietPoint: QuietPoint): void {
    const { say } = this.#given
    const counts = [...(this.#run?.counts ?? [])].sort().map(([kind, count]) => `${kind} ${count}`)
    say(`messages sent: ${load.count}; ${quietPoint.text}`)
    say(`actions: ${counts.join(', ')}`)
    say(`longest recovery until lag 0: ${(quietPoint.longestRecoveryMs / 1000).toFixed(1)} s`)
    say(`workers: ${quietPoint.vitalsText}`)
  }
}
