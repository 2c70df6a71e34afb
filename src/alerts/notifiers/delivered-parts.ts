import type { Notification } from '../notification.ts'

/**
 * Which parts of a notification are already delivered, for receivers that need several requests: another attempt sends
 * only the rest. It keeps the parts of one notification only, the latest.
 */
export class DeliveredParts {
  #notificationId: string | undefined
  #parts = new Set<string>()

  /** The delivered parts of this notification. Parts added to the set are kept for its next attempt. */
  of({ id }: Notification): Set<string> {
    if (id !== this.#notificationId) {
      this.#notificationId = id
      this.#parts = new Set()
    }
    return this.#parts
  }
}
