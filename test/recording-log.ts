import type { Logger } from '../src/log.ts'

/** A log that keeps its lines as `level: message`. */
export class RecordingLog implements Logger {
  readonly lines: string[] = []
  debug = this.#record('debug')
  info = this.#record('info')
  warn = this.#record('warn')
  error = this.#record('error')

  child(): Logger {
    return this
  }

  #record(level: string): (first: object | string, message?: string) => void {
    return (first, message) => this.lines.push(`${level}: ${typeof first === 'string' ? first : (message ?? '')}`)
  }
}
