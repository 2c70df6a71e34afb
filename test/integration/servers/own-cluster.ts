import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KafkaNode } from '../../../src/embedded/kafka/kafka-config.ts'
import { type KafkaServer, newClusterId, startKafka } from '../../../src/embedded/kafka/kafka-server.ts'
import { killAllChildren } from '../../../src/process/child.ts'
import { PortBook } from '../../../src/process/ports.ts'
import { silentLog } from '../scenes/pipeline.ts'

const stopDeadlineMs = 15_000

/** The nodes of a cluster that is to be started: ports and an id, chosen before any of them runs. */
export async function planNodes(count: number, ports = new PortBook()): Promise<KafkaNode[]> {
  const clusterId = newClusterId()
  const ids = Array.from({ length: count }, (_, index) => index + 1)
  const controllerPorts = new Map<number, number>()
  for (const id of ids) controllerPorts.set(id, await ports.choose(0))
  const nodes: KafkaNode[] = []
  for (const id of ids) nodes.push({ id, clusterId, controllerPorts, replicationPort: await ports.choose(0) })
  return nodes
}

/** One broker of an {@link OwnCluster}: to be killed, frozen, and started again at the same place. */
export class OwnNode {
  readonly node: KafkaNode
  readonly #start: () => Promise<KafkaServer>
  #server: KafkaServer | undefined

  constructor(node: KafkaNode, start: () => Promise<KafkaServer>) {
    this.node = node
    this.#start = start
  }

  get id(): number {
    return this.node.id
  }

  get server(): KafkaServer {
    if (this.#server === undefined) throw new Error(`broker ${this.id} was not started`)
    return this.#server
  }

  async start(): Promise<void> {
    this.#server = await this.#start()
  }

  async kill(): Promise<void> {
    this.server.kill()
    await this.server.exited
  }

  async stop(): Promise<void> {
    await this.#server?.stop(stopDeadlineMs)
  }

  /** @returns Lets it go on. */
  freeze(): () => void {
    const { pid } = this.server
    process.kill(pid, 'SIGSTOP')
    return () => process.kill(pid, 'SIGCONT')
  }
}

/**
 * Three brokers of a test's own. Two of them have to run, since they are the controllers too. A frozen follower leaves
 * the in-sync replicas after two seconds.
 */
export class OwnCluster {
  readonly nodes: readonly OwnNode[]
  readonly #folder: string

  private constructor(folder: string, nodes: readonly OwnNode[]) {
    this.#folder = folder
    this.nodes = nodes
  }

  /** @param settings - Of server.properties, for all brokers. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<OwnCluster> {
    process.once('exit', killAllChildren)
    const folder = mkdtempSync(join(tmpdir(), 'market-kpi-cluster-'))
    const ports = new PortBook()
    const nodes: OwnNode[] = []
    for (const node of await planNodes(3, ports)) {
      const dataDir = join(folder, String(node.id))
      const logsDir = join(dataDir, 'logs')
      const port = await ports.choose(0)
      nodes.push(new OwnNode(node, () => startKafka({ dataDir, logsDir, port, node, settings, log: silentLog })))
    }
    const cluster = new OwnCluster(folder, nodes)
    await Promise.all(nodes.map((node) => node.start()))
    return cluster
  }

  /** @param id - From 1. */
  node(id: number): OwnNode {
    const found = this.nodes.find((node) => node.id === id)
    if (found === undefined) throw new Error(`no broker ${id}`)
    return found
  }

  /** The addresses of all brokers. */
  get bootstrap(): string[] {
    return this.nodes.map(({ server }) => server.bootstrap)
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
