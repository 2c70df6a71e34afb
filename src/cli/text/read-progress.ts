import type { Logger } from '../../log.ts'
import { grouped } from '../../runtime/number-text.ts'

const progressIntervalMs = 5000

/** Makes a function that regularly logs the progress of a command that reads the whole log. */
export function progressLog(log: Logger): (messages: number, offsets: number) => void {
  let toldMs = performance.now()
  return (messages, offsets) => {
    if (performance.now() - toldMs < progressIntervalMs) return
    toldMs = performance.now()
    log.info(`${grouped(messages)} messages read, of at most ${grouped(offsets)}`)
  }
}
