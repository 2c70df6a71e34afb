import { execFile } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { ownerRole, pipelineRole } from '../../src/embedded/postgres/postgres-server.ts'
import { KafkaCluster } from '../../src/kafka/client/cluster.ts'
import type { Logger } from '../../src/log.ts'
import { OwnStack } from '../chaos/own-stack.ts'
import { until } from '../integration/scenes/until.ts'
import { AlertInbox } from './alert-inbox.ts'
import type { Pace } from './pace.ts'
import { Part } from './part.ts'

const root = join(import.meta.dirname, '..', '..')
const command = 'bin/market-kpi.js'
export const topic = 'market-prices'

/** Messages a second; few, so that a fault is found by its own rule before a backlog is. */
export const usualRate = 50

export interface SiteOptions {
  readonly folder: string
  readonly logsDir: string
  readonly log: Logger
  readonly pace: Pace
  /** A server ended, and it was not us. */
  readonly failed: (why: string) => void
}

/** The pipeline of the drill: servers, one worker, one feed, one evaluator, and a receiver of what it tells. */
export class Site {
  readonly stack: OwnStack
  readonly inbox: AlertInbox
  readonly pace: Pace
  readonly worker: Part
  readonly feed: Part
  readonly #watch: Part
  readonly #cluster: KafkaCluster

  private constructor({ pace, logsDir }: SiteOptions, stack: OwnStack, inbox: AlertInbox) {
    this.stack = stack
    this.inbox = inbox
    this.pace = pace
    this.worker = new Part('worker', logsDir)
    this.feed = new Part('feed', logsDir)
    this.#watch = new Part('watch', logsDir)
    this.#cluster = new KafkaCluster({ bootstrap: this.stack.bootstrap, clientId: 'drill' })
  }

  static async start(options: SiteOptions): Promise<Site> {
    const stack = await OwnStack.start({ ...options, brokers: 1, hasDisks: false })
    const site = new Site(options, stack, await AlertInbox.start())
    await site.init()
    await site.startWorker()
    await site.startFeed()
    await until(
      'rows',
      () => site.query('SELECT FROM kpi_market_prices LIMIT 1'),
      ({ length }) => length > 0,
    )
    await site.#watch.start(
      [command, 'alerts', 'watch', '--interval', `${options.pace.intervalSeconds}s`, '--http-port', '0'],
      { ...site.#env(pipelineRole), ALERT_WEBHOOK_URL: site.inbox.url },
    )
    await site.evaluations(2)
    return site
  }

  async stop(): Promise<void> {
    await Promise.all([this.#watch.stop(), this.worker.stop(), this.feed.stop()])
    await this.inbox.stop()
    await this.#cluster.close()
    await this.stack.stop()
  }

  /** Topic, schema and roles. */
  async init(...args: string[]): Promise<void> {
    const { secrets } = this.stack.postgres.server
    const env = { BI_USER_PASSWORD: secrets.pipeline, BI_READER_PASSWORD: secrets.reader }
    const { code, output } = await this.#run(['init', ...args], { ...this.#env(ownerRole), ...env })
    if (code !== 0) throw new Error(`init: ${output}`)
  }

  /** Its way to the database leads through the proxy. */
  async startWorker(...args: string[]): Promise<void> {
    if (this.worker.isUp) return
    const url = new URL(this.#env(pipelineRole).DATABASE_URL)
    url.port = String(this.stack.wayToPostgres.port)
    const env = { ...this.#env(pipelineRole), DATABASE_URL: url.href }
    await this.worker.start([command, 'consume', '--http-port', '0', ...args], env)
  }

  async startFeed(...args: string[]): Promise<void> {
    if (this.feed.isUp) return
    await this.feed.start([command, 'feed', '--rate', String(usualRate), ...args], this.#env(pipelineRole))
  }

  /** Of a machine whose clock is ahead. */
  async startAheadFeed(aheadSeconds: number): Promise<void> {
    const args = [String(aheadSeconds), String(usualRate)] as const
    await this.feed.start(['test/drill/ahead-feed.ts', ...args], this.#env(pipelineRole))
  }

  /** `market-kpi ARGS`. */
  command(...args: string[]): Promise<{ code: number; output: string }> {
    return this.#run(args, this.#env(pipelineRole))
  }

  /** As the owner, on a connection of its own. */
  async query<R extends pg.QueryResultRow>(text: string): Promise<R[]> {
    const client = new pg.Client({ connectionString: this.stack.postgres.server.url(ownerRole) })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query<R>(text)).rows
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  get cluster(): KafkaCluster {
    return this.#cluster
  }

  /** Returns when so many more evaluations are over. */
  async evaluations(count: number): Promise<void> {
    const first = await this.#evaluationCount()
    await until(
      'evaluated',
      () => this.#evaluationCount(),
      (now) => now >= first + count,
      120_000 + count * 20_000,
    )
  }

  /** Returns when no alert fires or is about to, as the evaluator wrote it down. */
  async quiet(timeoutMs: number): Promise<void> {
    const open = `SELECT rule, state, summary FROM alerts WHERE state <> 'resolved' AND rule <> 'Watchdog'`
    await until(
      'quiet',
      () => this.query(open).catch(() => ['no database']),
      ({ length }) => length === 0,
      timeoutMs,
    )
  }

  async #evaluationCount(): Promise<number> {
    const answer = await fetch(`${this.#watch.http}/metrics`)
    return Number(/^market_kpi_alerts_evaluations_total (\d+)/m.exec(await answer.text())?.[1] ?? 0)
  }

  get #bootstrap(): string {
    return this.stack.bootstrap.join(',')
  }

  #env(role: typeof ownerRole | typeof pipelineRole) {
    return {
      // As `up` sets it for its workers.
      KAFKA_SESSION_TIMEOUT_SECONDS: '6',
      ...this.pace.env,
      KAFKA_BOOTSTRAP_SERVERS: this.#bootstrap,
      KAFKA_TOPIC: topic,
      DATABASE_URL: this.stack.postgres.server.url(role),
    }
  }

  #run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<{ code: number; output: string }> {
    return new Promise((resolve) => {
      const options = { cwd: root, env: { ...process.env, NO_COLOR: '1', ...env } }
      const child = execFile(process.execPath, [join(root, command), ...args], options, (_, stdout, stderr) => {
        resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
      })
    })
  }
}
