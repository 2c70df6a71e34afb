import type { DispatchRecord } from './alert-store.ts'

/** How many records are kept in memory at most while the database is unavailable. */
const maxUnsavedRecords = 1000

/** Records of notifications that are not saved in the database yet: the latest one for each notification. */
export class DispatchLog {
  readonly #unsaved = new Map<string, DispatchRecord>()

  add(record: DispatchRecord): void {
    this.#unsaved.set(record.notification.id, record)
    const [oldest] = this.#unsaved.keys()
    if (this.#unsaved.size > maxUnsavedRecords && oldest !== undefined) this.#unsaved.delete(oldest)
  }

  get unsaved(): readonly DispatchRecord[] {
    return [...this.#unsaved.values()]
  }

  hasUnsaved(notificationId: string): boolean {
    return this.#unsaved.has(notificationId)
  }

  /** A record that was replaced by a newer one during the save remains unsaved. */
  noteSaved(records: readonly DispatchRecord[]): void {
    for (const record of records) {
      if (this.#unsaved.get(record.notification.id) === record) this.#unsaved.delete(record.notification.id)
    }
  }
}
