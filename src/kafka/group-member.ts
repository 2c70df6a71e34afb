import type { KpiError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { KafkaCluster } from './cluster.ts'

/** What becomes of partitions; called by the member, one call after the other, never after `stop()` was called. */
export interface GroupListener {
  /** Partitions that are now ours, besides those we have. */
  assigned(partitions: readonly number[]): void
  /**
   * Partitions that go to somebody else: finish what is pending for them. The group is told when this resolves, or
   * after the deadline. They are ours until then.
   */
  revoked(partitions: readonly number[], deadlineMs: number): Promise<void>
  /** The group went on without us (fenced, session expired): they may already be somebody else's. */
  lost(partitions: readonly number[]): void
  /** Nothing that waiting would help (authorization, a group of another protocol type). The member has ended. */
  fatal(error: KpiError): void
}

export type GroupProtocol = 'consumer' | 'classic'
export type GroupState = 'joining' | 'stable' | 'rebalancing' | 'stopped'

export interface GroupMemberOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly group: string
  /** `auto`: KIP-848 where the coordinator's broker has it and the group takes it, else classic. */
  readonly protocol: 'auto' | GroupProtocol
  readonly listener: GroupListener
  readonly log: Logger
  /** Classic only: after so long without a word from us the broker gives our partitions away. @defaultValue 45000 */
  readonly sessionTimeoutMs?: number
  /** How long a revocation may take. @defaultValue 30000 */
  readonly rebalanceTimeoutMs?: number
  /** Classic only: how often the leader looks for new partitions. @defaultValue 10000 */
  readonly metadataIntervalMs?: number
}

export class GroupMember {
  readonly #options: GroupMemberOptions

  constructor(options: GroupMemberOptions) {
    this.#options = options
  }

  /** Joins in the background, and stays a member, over all failures that may pass. */
  start(): void {
    throw new Error(`not yet: ${this.#options.group}`)
  }

  get state(): GroupState {
    return 'joining'
  }

  /** What is ours now, in order. */
  get partitions(): readonly number[] {
    return []
  }

  /** Undefined until the group has let us in. */
  get protocol(): GroupProtocol | undefined {
    return undefined
  }

  /**
   * Commits offsets to Kafka, for other tools; callers treat it as best effort.
   *
   * @param offsets By partition, the offset to read next.
   * @throws KpiError whatever went wrong, being between two generations of the group included.
   */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    throw new Error(`not yet: ${offsets.size}`)
  }

  /**
   * Leaves the group, so that others take over at once; gives up after the deadline. The caller has finished its work:
   * the listener hears nothing any more.
   */
  async stop(deadlineMs: number): Promise<void> {
    throw new Error(`not yet: ${deadlineMs}`)
  }
}
