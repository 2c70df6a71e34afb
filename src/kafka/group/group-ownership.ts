import { KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { within } from '../../runtime/abort.ts'

/** What becomes of partitions; called by the member, never after its `stop()` was called. */
export interface GroupListener {
  /** Partitions that are now ours, besides those we have. */
  assigned(partitions: readonly number[]): void
  /**
   * Partitions that go to somebody else: finish what is pending for them. The group is told when this resolves, or
   * after the deadline; they are ours until then. May be overtaken by `lost`.
   */
  revoked(partitions: readonly number[], deadlineMs: number): Promise<void>
  /** The group went on without us (fenced, session expired): they may already be somebody else's. */
  lost(partitions: readonly number[]): void
  /** Nothing that waiting would help (authorization, a group of another kind). The member has ended. */
  fatal(error: KpiError): void
}

/**
 * Which partitions are ours, in step with what the listener was told. A partition is
 *   ours      from `assign` until its revocation has finished or it was lost;
 *   leaving   still ours, while the listener finishes what is pending for it;
 *   nobody's  as far as we know, otherwise.
 * The two memberships change ownership through here only, so the listener never hears of a partition twice.
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

  /** In order. */
  get partitions(): readonly number[] {
    return [...this.#ours].sort((a, b) => a - b)
  }

  /** Takes what is not ours yet. */
  assign(partitions: readonly number[]): void {
    const added = partitions.filter((partition) => !this.#ours.has(partition))
    if (this.#silent || added.length === 0) return
    for (const partition of added) this.#ours.add(partition)
    this.#listener.assigned(added)
  }

  /**
   * Gives partitions up once the listener is done with them, or after the deadline.
   *
   * @returns False when all was lost meanwhile: what the caller had in mind no longer holds.
   */
  async revoke(partitions: readonly number[], deadlineMs: number): Promise<boolean> {
    const losses = this.#losses
    const leaving = partitions.filter((partition) => this.#ours.has(partition))
    if (!this.#silent && leaving.length > 0) await this.#finish(leaving, deadlineMs)
    if (losses !== this.#losses) return false
    for (const partition of leaving) this.#ours.delete(partition)
    return true
  }

  /** All at once: the group has gone on without us. */
  lose(): void {
    const lost = this.partitions
    this.#losses += 1
    this.#ours.clear()
    if (!this.#silent && lost.length > 0) this.#listener.lost(lost)
  }

  /** From now on the listener hears nothing, and nothing is ours. */
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
