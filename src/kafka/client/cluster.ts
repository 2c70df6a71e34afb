import { isIP } from 'node:net'
import { type API, apiVersionsV3, Connection, ConnectionStatuses, metadataV12 } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import { brokerErrorName, isConnectionLoss, kafkaError } from './errors.ts'
import type { KafkaOptions } from './options.ts'

/**
 * Sends requests to a cluster over the library's connections; the library does TLS, SASL and framing.
 *
 * A broker answers the requests of one connection in order, so a fetch that waits for data would delay a heartbeat
 * behind it. Each purpose therefore has its own connection to each broker. A failed connection is dropped, and the next
 * request opens a new one. This class never retries: only the callers know which requests may be repeated.
 */
export type Purpose = 'control' | 'fetch' | 'group' | 'produce'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface PartitionLeader {
  readonly partition: number
  /** -1 while the partition has no leader. */
  readonly leaderId: number
  readonly leaderEpoch: number
}

export interface TopicMetadata {
  readonly clusterId: string
  readonly controllerId: number
  readonly topic: string
  /** As UUID text. The id changes when the topic is deleted and re-created. */
  readonly topicId: string
  /** By partition number. */
  readonly partitions: readonly PartitionLeader[]
}

interface ApiRange {
  readonly minVersion: number
  readonly maxVersion: number
}

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>

/** A request type of the library; `async` is its promise form. */
export type Api<Arguments extends unknown[], Response> = API<Arguments, Response>

export class KafkaCluster {
  readonly #options: KafkaOptions
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #apiRanges = new Map<string, ReadonlyMap<number, ApiRange>>()
  #brokers = new Map<number, BrokerAddress>()
  /** Addresses whose connection failed or closed, ordered by the most recent failure. */
  readonly #lost = new Set<string>()
  #closed = false

  constructor(options: KafkaOptions) {
    this.#options = options
  }

  /** The options with which another client of the same cluster can be created, also in another thread. */
  get options(): KafkaOptions {
    return this.#options
  }

  get clientId(): string {
    return this.#options.clientId
  }

  /** The brokers as of the last metadata answer. */
  get brokers(): readonly BrokerAddress[] {
    return [...this.#brokers.values()]
  }

  /**
   * Reads the current metadata of one topic from the first broker that answers.
   *
   * @throws KpiError `KPI_TOPIC_MISSING`, `KPI_KAFKA_UNREACHABLE`, `KPI_KAFKA_AUTH`; `KPI_KAFKA_REQUEST` when access to
   *   the topic is not allowed, or the topic is still being created.
   */
  async topicMetadata(topic: string): Promise<TopicMetadata> {
    const response = await this.#metadata([topic])
    const found = response.topics[0]
    if (found?.errorCode !== 0) throw topicError(topic, brokerErrorName(found?.errorCode ?? 3))
    const partitions: PartitionLeader[] = []
    for (const p of found.partitions) {
      partitions[p.partitionIndex] = {
        partition: p.partitionIndex,
        leaderId: p.errorCode === 5 ? -1 : p.leaderId,
        leaderEpoch: p.leaderEpoch,
      }
    }
    return {
      clusterId: response.clusterId ?? '',
      controllerId: response.controllerId,
      topic,
      topicId: found.topicId,
      partitions,
    }
  }

  /** Reads the cluster id and the controller, without requesting any topic. */
  async clusterMetadata(): Promise<{ clusterId: string; controllerId: number }> {
    const response = await this.#metadata([])
    return { clusterId: response.clusterId ?? '', controllerId: response.controllerId }
  }

  /** Sends a request to one broker. `'any'` uses the first reachable one; brokers that failed before are tried last. */
  async request<A extends unknown[], R>(
    target: number | 'any',
    purpose: Purpose,
    api: Api<A, R>,
    ...args: A
  ): Promise<R> {
    const connection = target === 'any' ? await this.#anyConnection(purpose) : await this.connection(target, purpose)
    return this.#watched(connection, api.async(connection, ...args))
  }

  /** An open connection to a broker of the last metadata answer. */
  async connection(nodeId: number, purpose: Purpose): Promise<Connection> {
    if (!this.#brokers.has(nodeId)) await this.#metadata([])
    const broker = this.#brokers.get(nodeId)
    if (!broker)
      throw new KpiError('KPI_KAFKA_UNREACHABLE', `Kafka broker ${nodeId} is not in the cluster at the moment`)
    return this.#open(broker.host, broker.port, purpose)
  }

  /**
   * The highest version of a request that both the broker and the given range support; undefined when there is none.
   */
  async apiVersion(nodeId: number | 'any', apiKey: number, range: ApiRange): Promise<number | undefined> {
    const connection =
      nodeId === 'any' ? await this.#anyConnection('control') : await this.connection(nodeId, 'control')
    const ranges = await this.#rangesOf(connection)
    const theirs = ranges.get(apiKey)
    if (!theirs) return undefined
    const version = Math.min(theirs.maxVersion, range.maxVersion)
    return version >= Math.max(theirs.minVersion, range.minVersion) ? version : undefined
  }

  /** As {@link apiVersion}. @throws KpiError `KPI_KAFKA_REQUEST` when there is none: the broker is too old. */
  async requiredVersion(nodeId: number, apiKey: number, range: ApiRange): Promise<number> {
    const version = await this.apiVersion(nodeId, apiKey, range)
    if (version !== undefined) return version
    throw new KpiError('KPI_KAFKA_REQUEST', `broker ${nodeId} is too old: market-kpi needs Kafka 3.1 or newer`)
  }

  async close(): Promise<void> {
    this.#closed = true
    const open = [...this.#connections.values()]
    this.#connections.clear()
    await Promise.allSettled(open.map(async (connection) => (await connection).close()))
  }

  async #metadata(topics: string[]): Promise<MetadataResponse> {
    const connection = await this.#anyConnection('control')
    const asked = metadataV12.api.async(connection, topics, false, false)
    const response = await this.#watched(connection, asked).catch((error: unknown) => {
      // The library throws when any topic or partition has an error. The answer itself is complete, and is checked
      // here.
      const answer = (error as { response?: MetadataResponse }).response
      if (answer?.brokers) return answer
      throw kafkaError(error, this.#options.bootstrap.join(','))
    })
    if (response.brokers.length > 0) {
      this.#brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { nodeId, host, port }]))
    }
    return response
  }

  async #rangesOf(connection: Connection): Promise<ReadonlyMap<number, ApiRange>> {
    const key = `${connection.host}:${connection.port}`
    const known = this.#apiRanges.get(key)
    if (known) return known
    const response = await this.#watched(connection, apiVersionsV3.api.async(connection, 'market-kpi', '1'))
    const ranges = new Map(response.apiKeys.map((api) => [api.apiKey, api]))
    this.#apiRanges.set(key, ranges)
    return ranges
  }

  async #anyConnection(purpose: Purpose): Promise<Connection> {
    let last: unknown
    for (const address of this.#addresses()) {
      const colon = address.lastIndexOf(':')
      try {
        return await this.#open(address.slice(0, colon), Number(address.slice(colon + 1)), purpose)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  /**
   * A frozen broker, or a proxy in front of a stopped one, may accept every connection and never answer. An address
   * that failed is therefore tried last.
   */
  #addresses(): string[] {
    const known = this.brokers.map(({ host, port }) => `${host}:${port}`)
    const all = new Set([...known, ...this.#options.bootstrap])
    const lost = [...this.#lost].filter((address) => all.has(address))
    return [...[...all].filter((address) => !this.#lost.has(address)), ...lost]
  }

  /** When a request times out, it fails before its connection emits 'close'. */
  async #watched<R>(connection: Connection, answer: Promise<R>): Promise<R> {
    try {
      return await answer
    } catch (error) {
      if (isConnectionLoss(error)) this.#noteLoss(`${connection.host}:${connection.port}`)
      throw error
    }
  }

  #noteLoss(address: string): void {
    this.#lost.delete(address)
    this.#lost.add(address)
  }

  async #open(host: string, port: number, purpose: Purpose): Promise<Connection> {
    const key = `${host}:${port}/${purpose}`
    const known = this.#connections.get(key)
    if (known) {
      const connection = await known
      if (isUsable(connection)) return connection
      // A connection that has just timed out closes shortly before it emits the event.
      if (this.#connections.get(key) === known) this.#connections.delete(key)
    }
    return this.#connections.get(key) ?? this.#begin(host, port, key)
  }

  #begin(host: string, port: number, key: string): Promise<Connection> {
    if (this.#closed) throw new KpiError('KPI_KAFKA_UNREACHABLE', 'this cluster client is closed')
    const connection = new Connection(this.#options.clientId, {
      connectTimeout: this.#options.connectTimeoutMs ?? 5000,
      requestTimeout: this.#options.requestTimeoutMs ?? 30_000,
      ...(this.#options.tls ? { tls: this.#options.tls, tlsServerName: isIP(host) === 0 } : {}),
      ...(this.#options.sasl ? { sasl: this.#options.sasl } : {}),
    })
    const drop = () => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key)
      this.#apiRanges.delete(`${host}:${port}`)
      this.#noteLoss(`${host}:${port}`)
    }
    const opening = this.#connect(connection, host, port)
    opening.catch(drop)
    // An 'error' event without a listener would end the process. Each request in flight gets the error by its own
    // callback.
    connection.on('error', drop)
    connection.on('close', drop)
    connection.on('closing', drop)
    this.#connections.set(key, opening)
    return opening
  }

  async #connect(connection: Connection, host: string, port: number): Promise<Connection> {
    try {
      await connection.connect(host, port)
      return connection
    } catch (error) {
      throw kafkaError(error, `${host}:${port}`)
    }
  }
}

/** Whether requests can be sent on the connection, which is also the case during a reauthentication. */
export function isUsable({ status }: Connection): boolean {
  return status === ConnectionStatuses.CONNECTED || status === ConnectionStatuses.REAUTHENTICATING
}

function topicError(topic: string, name: string): KpiError {
  if (name === 'UNKNOWN_TOPIC_OR_PARTITION' || name === 'UNKNOWN_TOPIC_ID') {
    return new KpiError(
      'KPI_TOPIC_MISSING',
      `the topic '${topic}' does not exist: check KAFKA_TOPIC, or create it with 'market-kpi init'`,
    )
  }
  if (name === 'TOPIC_AUTHORIZATION_FAILED') {
    return new KpiError(
      'KPI_KAFKA_AUTH',
      `Kafka does not let this user see the topic '${topic}': allow it to describe, read and, for a feed, write it`,
    )
  }
  if (name === 'INVALID_TOPIC_EXCEPTION') {
    return new KpiError('KPI_CONFIG_INVALID', `KAFKA_TOPIC=${topic}: Kafka does not take this name`)
  }
  return new KpiError('KPI_KAFKA_REQUEST', `Kafka does not describe the topic '${topic}': ${name}`)
}
