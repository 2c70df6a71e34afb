import { bytesText, grouped } from '../runtime/number-text.ts'
import type { FeedFigures } from './feed.ts'

/** A line for people that sums up what a feed sent. */
export function reportLine(figures: FeedFigures, messagesPerSecond: number): string {
  const { messages, bytes, elapsedSeconds, rejected, retries, waiting } = figures
  const parts = [
    `sent ${grouped(messages)} messages (${bytesText(bytes)}) in ${elapsedSeconds.toFixed(1)} s`,
    `${grouped(Math.round(messagesPerSecond))}/s`,
    `${grouped(rejected)} rejected`,
    `${grouped(retries)} retries`,
    ...(waiting > 0 ? [`${grouped(waiting)} waiting`] : []),
  ]
  return parts.join(', ')
}

/** Measures messages per second between one report and the next. */
export class RateMeter {
  #messages = 0
  #seconds = 0

  perSecond({ messages, elapsedSeconds }: FeedFigures): number {
    const seconds = elapsedSeconds - this.#seconds
    const rate = seconds > 0 ? (messages - this.#messages) / seconds : 0
    this.#messages = messages
    this.#seconds = elapsedSeconds
    return rate
  }
}
