import type { Connection } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import { isUsable, type KafkaCluster } from '../client/cluster.ts'
import { kafkaError } from '../client/errors.ts'
import { produceApiKey, produceVersions } from './produce-protocol.ts'

/** An open way to a broker. */
export interface ProducerLink {
  readonly connection: Connection
  /** Of the Produce requests that the broker understands. */
  readonly version: number
  /** Requests without an answer. */
  inFlight: number
}

export interface ProducerLinksOptions {
  readonly cluster: KafkaCluster
  readonly opened: () => void
  readonly failed: (brokerId: number, error: KpiError) => void
}

/** The producer's connections to the brokers, one each, opened when first asked for. */
export class ProducerLinks {
  readonly #options: ProducerLinksOptions
  readonly #links = new Map<number, ProducerLink | 'opening'>()

  constructor(options: ProducerLinksOptions) {
    this.#options = options
  }

  /** Undefined while it is being opened, which this call begins; `opened` or `failed` tells the end. */
  to(brokerId: number): ProducerLink | undefined {
    const link = this.#links.get(brokerId)
    if (link === 'opening') return undefined
    // One that broke while idle is told apart from one that breaks under a request, whose fate is then unknown.
    if (link && isUsable(link.connection)) return link
    void this.#open(brokerId)
    return undefined
  }

  /** Forgets a link that failed. */
  drop(brokerId: number, link: ProducerLink): void {
    if (this.#links.get(brokerId) === link) this.#links.delete(brokerId)
    link.connection.close().catch(() => undefined)
  }

  async #open(brokerId: number): Promise<void> {
    const { cluster, opened, failed } = this.#options
    this.#links.set(brokerId, 'opening')
    try {
      const version = await cluster.apiVersion(brokerId, produceApiKey, produceVersions)
      if (version === undefined) {
        throw new KpiError('KPI_KAFKA_REQUEST', `broker ${brokerId} is too old: market-kpi needs Kafka 3.1 or newer`)
      }
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
