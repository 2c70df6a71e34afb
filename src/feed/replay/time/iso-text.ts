const usPerSecond = 1_000_000
/** `2026-02-14T14:30:05` */
const plainBytes = 19

/** RFC 3339 up to the second, without an offset. */
function isoSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, plainBytes)
}

/**
 * Writes instants as RFC 3339, with up to microseconds. It caches the text of the last second, because most instants
 * are in the same second as the one before.
 */
export class TimestampWriter {
  #second = Number.NaN
  #text = ''

  text(us: number): string {
    const second = Math.floor(us / usPerSecond)
    const rest = String(Math.floor(us - second * usPerSecond)).padStart(6, '0')
    return `${this.seconds(second)}.${rest.endsWith('000') ? rest.slice(0, 3) : rest}Z`
  }

  /** The text up to the second. */
  seconds(second: number): string {
    if (second !== this.#second) {
      this.#second = second
      this.#text = isoSeconds(second)
    }
    return this.#text
  }
}
