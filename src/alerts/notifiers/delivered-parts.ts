import type { Notification } from '../notification.ts'

/**
 * What of the notification at hand a receiver has already, where it takes several requests: another attempt sends the
 * rest only. Knows one notification at a time; of another it knows nothing, and all is sent.
 */
export class DeliveredParts {
  #notificationId: string | undefined
  #parts = new Set<string>()

  /** Those of this notification; what is added to them is kept for its next attempt. */
  of({ id }: Notification): Set<string> {
    if (id !== this.#notificationId) {
      this.#notificationId = id
      this.#parts = new Set()
    }
    return this.#parts
  }
}
