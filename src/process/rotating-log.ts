import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** One file; with {@link maxOldFiles} of it, a part never holds more than 50 MB of logs. */
const defaultMaxBytes = 10 * 1024 * 1024
const maxOldFiles = 4

/**
 * DIR/logs/NAME.log, with NAME.log.1 (newest) to NAME.log.4 behind it.
 *
 * Writes are synchronous, so there is no queue that could grow, and the last words before an end are kept. A log that
 * cannot be written (the disk is full) must not take down what it reports on: its lines are dropped and counted, and
 * the count is written once there is room again.
 */
export class RotatingLog {
  readonly path: string
  readonly #maxBytes: number
  #descriptor: number | undefined
  #bytes = 0
  #dropped = 0

  constructor(options: { logsDir: string; name: string; maxBytes?: number }) {
    this.path = join(options.logsDir, `${options.name}.log`)
    this.#maxBytes = options.maxBytes ?? defaultMaxBytes
    try {
      mkdirSync(options.logsDir, { recursive: true, mode: 0o700 })
    } catch {
      this.#dropped++
    }
  }

  /** Chunks dropped since the last successful write. */
  get dropped(): number {
    return this.#dropped
  }

  write(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    try {
      const descriptor = this.#openFor(bytes.length)
      if (this.#dropped > 0) {
        this.#put(descriptor, Buffer.from(`[${this.#dropped} writes to this log were lost: it could not be written]\n`))
        this.#dropped = 0
      }
      this.#put(descriptor, bytes)
    } catch {
      this.#dropped++
      this.close()
    }
  }

  close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    if (descriptor === undefined) return
    try {
      closeSync(descriptor)
    } catch {
      // What a full disk kept from being written is lost either way.
    }
  }

  #put(descriptor: number, bytes: Uint8Array): void {
    let written = 0
    while (written < bytes.length) written += writeSync(descriptor, bytes, written)
    this.#bytes += bytes.length
  }

  /** The file in which so many bytes have room. */
  #openFor(bytes: number): number {
    const descriptor = this.#open()
    if (this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes) return descriptor
    this.#rotate()
    return this.#open()
  }

  #open(): number {
    if (this.#descriptor === undefined) {
      this.#descriptor = openSync(this.path, 'a', 0o600)
      this.#bytes = fstatSync(this.#descriptor).size
    }
    return this.#descriptor
  }

  #rotate(): void {
    this.close()
    for (let age = maxOldFiles - 1; age >= 1; age--) moveIfThere(`${this.path}.${age}`, `${this.path}.${age + 1}`)
    moveIfThere(this.path, `${this.path}.1`)
    this.#bytes = 0
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
