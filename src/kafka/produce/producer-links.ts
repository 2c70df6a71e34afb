import type { Connection } from '#kafka-protocol'
import type { KpiError } from '../../errors.ts'
import { isUsable, type KafkaCluster } from '../client/cluster.ts'
import { kafkaError } from '../client/errors.ts'
import {
  type ProducedPartition,
  type ProduceRequest,
  produceApiKey,
  produceVersions,
  sendProduce,
} from './produce-protocol.ts'

/** An open connection to a broker. */
export interface ProducerLink {
  readonly connection: Connection
  /** The version of the Produce request that the broker supports. */
  readonly version: number
  /** The number of unanswered requests. */
  inFlight: number
}

export interface ProducerLinksOptions {
  readonly cluster: KafkaCluster
  readonly opened: () => void
  readonly failed: (brokerId: number, error: KpiError) => void
}

/** The producer's connections, one for each broker, opened at the first use, and the requests on them. */
export class ProducerLinks {
  readonly #options: ProducerLinksOptions
  readonly #links = new Map<number, ProducerLink | 'opening'>()
  #requestsInFlight = 0
  /** When the oldest wait began: when a first request was sent, or at the last answer while others were unanswered. */
  #unansweredSinceMs: number | undefined

  constructor(options: ProducerLinksOptions) {
    this.#options = options
  }

  /** How long there have been unanswered requests without any answer. */
  get unansweredMs(): number {
    return this.#unansweredSinceMs === undefined ? 0 : performance.now() - this.#unansweredSinceMs
  }

  /**
   * Returns undefined while the connection is being opened, which this call starts; then `opened` or `failed` is
   * called.
   */
  to(brokerId: number): ProducerLink | undefined {
    const link = this.#links.get(brokerId)
    if (link === 'opening') return undefined
    // A connection that broke while idle is replaced here. One that breaks during a request is handled by `send`,
    // because the outcome of the request is then unknown.
    if (link && isUsable(link.connection)) return link
    void this.#open(brokerId)
    return undefined
  }

  /**
   * Sends one request. Everything up to the write to the socket happens before this returns, so requests are sent in
   * the order of the calls.
   *
   * @returns The answers, or the reason why there are none. A failed link is closed and forgotten.
   */
  async send(
    brokerId: number,
    link: ProducerLink,
    request: ProduceRequest,
  ): Promise<{ answers: readonly ProducedPartition[]; failure?: string }> {
    link.inFlight += 1
    this.#requestsInFlight += 1
    this.#unansweredSinceMs ??= performance.now()
    try {
      return { answers: await sendProduce(link.connection, link.version, request) }
    } catch (error) {
      this.#drop(brokerId, link)
      return { answers: [], failure: kafkaError(error, `broker ${brokerId}`).message }
    } finally {
      link.inFlight -= 1
      this.#requestsInFlight -= 1
      this.#unansweredSinceMs = this.#requestsInFlight > 0 ? performance.now() : undefined
    }
  }

  #drop(brokerId: number, link: ProducerLink): void {
    if (this.#links.get(brokerId) === link) this.#links.delete(brokerId)
    link.connection.close().catch(() => undefined)
  }

  async #open(brokerId: number): Promise<void> {
    const { cluster, opened, failed } = this.#options
    this.#links.set(brokerId, 'opening')
    try {
      const version = await cluster.requiredVersion(brokerId, produceApiKey, produceVersions)
      const connection = await cluster.connection(brokerId, 'produce')
      this.#links.set(brokerId, { connection, version, inFlight: 0 })
    } catch (error) {
      this.#links.delete(brokerId)
      failed(brokerId, kafkaError(error, `broker ${brokerId}`))
      return
    }
    opened()
  }
}
