import { KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { within } from '../../runtime/abort.ts'

/** Receives changes of ownership. The member does not call it after its `stop()` was called. */
export interface GroupListener {
  /** Partitions that this member owns from now on, in addition to those it already has. */
  assigned(partitions: readonly number[]): void
  /**
   * Partitions that go to another member: finish the pending work for them. They are handed over when this resolves or
   * the deadline has passed, and are owned until then. `lost` may be called in the meantime.
   */
  revoked(partitions: readonly number[], deadlineMs: number): Promise<void>
  /** The member was removed from the group (fenced, session expired): another member may already own the partitions. */
  lost(partitions: readonly number[]): void
  /** A failure that waiting cannot fix (authorization, a group of another kind). The member has ended. */
  fatal(error: KpiError): void
}

/**
 * Keeps which partitions this member owns, consistent with the listener's calls. A partition is
 * - owned: from `assign` until its revocation has finished or it was lost;
 * - leaving: still owned, while the listener finishes the pending work for it;
 * - not owned: in all other cases.
 *
 * Both memberships change ownership only through this class, so the listener is never called twice for a partition.
 */
export class GroupOwnership {
  readonly #listener: GroupListener
  readonly #log: Logger
  readonly #ours = new Set<number>()
  #losses = 0
  #silent = false

  constructor(listener: GroupListener, log: Logger) {
    this.#listener = listener
    this.#log = log
  }

  get partitions(): readonly number[] {
    return [...this.#ours].sort((a, b) => a - b)
  }

  /** Adds the partitions that are not owned yet. */
  assign(partitions: readonly number[]): void {
    const added = partitions.filter((partition) => !this.#ours.has(partition))
    if (this.#silent || added.length === 0) return
    for (const partition of added) this.#ours.add(partition)
    this.#listener.assigned(added)
  }

  /**
   * Gives partitions up when the listener has finished with them, or after the deadline.
   *
   * @returns False when all partitions were lost in the meantime: the caller's next action is then obsolete.
   */
  async revoke(partitions: readonly number[], deadlineMs: number): Promise<boolean> {
    const losses = this.#losses
    const leaving = partitions.filter((partition) => this.#ours.has(partition))
    if (!this.#silent && leaving.length > 0) await this.#finish(leaving, deadlineMs)
    if (losses !== this.#losses) return false
    for (const partition of leaving) this.#ours.delete(partition)
    return true
  }

  /** Loses all partitions at once, after the member was removed from the group. */
  lose(): void {
    const lost = this.partitions
    this.#losses += 1
    this.#ours.clear()
    if (!this.#silent && lost.length > 0) this.#listener.lost(lost)
  }

  /** Ends all ownership; the listener is not called any more. */
  end(): void {
    this.#silent = true
    this.lose()
  }

  async #finish(leaving: readonly number[], deadlineMs: number): Promise<void> {
    const unfinished = `partitions ${leaving.join(', ')} are given up unfinished`
    const revoking = this.#listener.revoked(leaving, deadlineMs)
    const answered = revoking.then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof KpiError)) throw error
        this.#log.warn(`${unfinished}: ${messageOf(error)}`)
        return true
      },
    )
    if (!(await within(deadlineMs, answered))) this.#log.warn(`${unfinished}: not done after ${deadlineMs} ms`)
  }
}
