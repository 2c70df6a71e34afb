import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** The limit of one file; together with {@link maxOldFiles}, a part's logs never exceed 50 MB. */
const defaultMaxBytes = 10 * 1024 * 1024
const maxOldFiles = 4

/**
 * DIR/logs/NAME.log, with the older files NAME.log.1 (newest) to NAME.log.4.
 *
 * Writes are synchronous, so there is no queue that could grow, and the last lines before an exit are kept. A log that
 * cannot be written (the disk is full) must not end the process that it belongs to: its lines are dropped and counted,
 * and the count is written once there is room again.
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
      // Data that a full disk prevented from being written is lost in any case.
    }
  }

  #put(descriptor: number, bytes: Uint8Array): void {
    let written = 0
    while (written < bytes.length) written += writeSync(descriptor, bytes, written)
    this.#bytes += bytes.length
  }

  /** Returns the current file, after rotating it if this many bytes do not fit. */
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
