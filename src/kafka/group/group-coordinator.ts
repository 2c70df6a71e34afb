import { type Connection, FindCoordinatorKeyTypes, findCoordinatorV4, ResponseError } from '#kafka-protocol'
import { KpiError } from '../../errors.ts'
import type { Api, KafkaCluster, Purpose } from '../client/cluster.ts'
import { brokerErrorOf, kafkaError } from '../client/errors.ts'

/**
 * The coordinator of one group. It is looked up when needed, and again after it failed or moved.
 *
 * There are two kinds of failure. When the coordinator cannot be used (unreachable, moved, still loading), an error is
 * thrown and the caller retries later: this does not affect the membership. When the coordinator refuses a request
 * because of the group or the member, the refusal is returned, and the protocol code decides what it means.
 */
export interface Refusal {
  /** The name of the broker's error: `UNKNOWN_MEMBER_ID`. */
  readonly name: string
  /** The broker's error message, if it sent one. */
  readonly detail: string | undefined
}

export type Answer<R> =
  | { readonly refusal?: undefined; readonly response: R }
  | { readonly refusal: Refusal; readonly response: R | undefined }

const moved: ReadonlySet<string> = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'])
const loading = 'COORDINATOR_LOAD_IN_PROGRESS'
const authorization: ReadonlySet<string> = new Set([
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
])

/** Refusals that persist until the group, the brokers or our settings are changed. */
const final: ReadonlySet<string> = new Set([
  'INCONSISTENT_GROUP_PROTOCOL',
  'GROUP_ID_NOT_FOUND',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_ASSIGNOR',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'INVALID_REQUEST',
])

export interface AskOptions {
  readonly purpose: Purpose
  /** The connection is considered broken after this time. @defaultValue the cluster's `requestTimeoutMs` */
  readonly timeoutMs?: number
}

export class GroupCoordinator {
  readonly cluster: KafkaCluster
  readonly group: string
  #nodeId: number | undefined
  /** The last request could not reach it. */
  #suspect = false

  constructor(cluster: KafkaCluster, group: string) {
    this.cluster = cluster
    this.group = group
  }

  /**
   * @throws KpiError retryable when the coordinator is unavailable now; not retryable when the request can never
   *   succeed.
   */
  async ask<A extends unknown[], R>(options: AskOptions, api: Api<A, R>, ...args: A): Promise<Answer<R>> {
    const nodeId = await this.find(options.purpose)
    try {
      const connection = await this.cluster.connection(nodeId, options.purpose)
      const response = await within(options.timeoutMs, connection, api.async(connection, ...args))
      this.#suspect = false
      return { response }
    } catch (error) {
      const refusal = refusalIn(error)
      const name = refusal?.name
      if (refusal && name !== loading && !moved.has(refusal.name)) {
        this.#suspect = false
        return { refusal, response: (error as { response?: R }).response }
      }
      if (name !== loading) this.#doubt(refusal !== undefined)
      throw kafkaError(error, `broker ${nodeId}, coordinator of the group '${this.group}',`)
    }
  }

  /**
   * Finds the coordinator's node id.
   *
   * @param purpose Whose connections are used, so that the request does not wait for the answers of another purpose.
   */
  async find(purpose: Purpose): Promise<number> {
    this.#nodeId ??= await this.#look(purpose)
    return this.#nodeId
  }

  /**
   * A lost connection does not mean that the coordinator has moved: first a new connection to the same broker is tried.
   */
  #doubt(certain: boolean): void {
    if (certain || this.#suspect) this.#nodeId = undefined
    this.#suspect = !certain && !this.#suspect
  }

  async #look(purpose: Purpose): Promise<number> {
    const { group, cluster } = this
    const answer = await cluster
      .request('any', purpose, findCoordinatorV4.api, FindCoordinatorKeyTypes.GROUP, [group])
      .catch((error: unknown) => {
        const refusal = refusalIn(error)
        if (refusal && authorization.has(refusal.name)) throw refusalError(group, refusal)
        throw kafkaError(error, `the brokers (looking for the coordinator of the group '${group}')`)
      })
    const found = answer.coordinators[0]
    if (!found) throw new KpiError('KPI_KAFKA_REQUEST', `Kafka names no coordinator for the group '${group}'`)
    const isKnown = cluster.brokers.some(
      ({ nodeId, host, port }) => nodeId === found.nodeId && host === found.host && port === found.port,
    )
    // The broker is new, or has restarted with another address.
    if (!isKnown) await cluster.clusterMetadata()
    return found.nodeId
  }
}

/**
 * Closes a connection that does not answer in time. This fails the requests that wait on it, and the next request opens
 * a new one.
 */
async function within<R>(timeoutMs: number | undefined, connection: Connection, answer: Promise<R>): Promise<R> {
  if (timeoutMs === undefined) return answer
  const giveUp = setTimeout(() => void connection.close(), timeoutMs)
  try {
    return await answer
  } finally {
    clearTimeout(giveUp)
  }
}

/** Converts a refusal to an error, which is retryable unless waiting cannot help. */
export function refusalError(group: string, { name, detail }: Refusal): KpiError {
  const words = detail ? `${name} (${detail})` : name
  if (authorization.has(name)) {
    return new KpiError(
      'KPI_KAFKA_AUTH',
      `Kafka does not let this user into the group '${group}' (${words}): it needs read on the group, read and describe on the topic`,
    )
  }
  if (final.has(name)) {
    return new KpiError(
      'KPI_GROUP_REFUSED',
      `the group '${group}' does not take us: ${words}; see who is in it, or name another with KAFKA_GROUP`,
    )
  }
  return new KpiError('KPI_KAFKA_REQUEST', `the group '${group}' does not take us at the moment: ${words}`)
}

function refusalIn(thrown: unknown): Refusal | undefined {
  const name = brokerErrorOf(thrown)
  if (name === undefined || !(thrown instanceof ResponseError)) return undefined
  const [first] = thrown.errors as { serverErrorMessage?: string | null }[]
  return { name, detail: first?.serverErrorMessage ?? undefined }
}
