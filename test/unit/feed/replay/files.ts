import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ReplayFile } from '../../../../src/feed/replay/replay-file.ts'
import { type ReplayOptions, ReplaySource } from '../../../../src/feed/replay/replay-source.ts'
import type { Logger } from '../../../../src/log.ts'
import type { Clock } from '../../../../src/runtime/clock.ts'
import { SimulatedClock } from '../../../simulated-clock.ts'
import { type TakenMessage, takeAll } from '../taken.ts'

/** Keeps what is logged. */
export class KeptLog implements Logger {
  readonly lines: string[] = []

  debug(): void {}

  info(fields: object | string, message?: string): void {
    this.lines.push(String(message ?? fields))
  }

  warn(fields: object | string, message?: string): void {
    this.lines.push(`warning: ${message ?? fields}`)
  }

  error(fields: object | string, message?: string): void {
    this.lines.push(`error: ${message ?? fields}`)
  }

  child(): Logger {
    return this
  }
}

export interface Replayed {
  readonly messages: readonly TakenMessage[]
  readonly values: readonly string[]
  readonly lines: readonly string[]
  readonly rejected: number
  readonly description: string
}

/** Files in a folder of a test's own. */
export function write(folder: string, content: string | Buffer, name = 'prices.csv'): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

export function writeGzip(folder: string, content: string, name = 'prices.csv.gz'): string {
  return write(folder, gzipSync(content), name)
}

export async function openReplay(path: string, options: Partial<ReplayOptions> = {}): Promise<ReplaySource> {
  const file = options.file ?? (await ReplayFile.open(path))
  try {
    return await ReplaySource.open({
      file,
      partitionCount: 3,
      resume: undefined,
      speed: Number.POSITIVE_INFINITY,
      shiftToNow: false,
      maxFutureSeconds: 100 * 365 * 86_400,
      decimals: 8,
      clock: new SimulatedClock({ isEager: true }),
      log: new KeptLog(),
      ...options,
    })
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Sends a whole file. */
export async function replay(path: string, options: Partial<ReplayOptions> = {}): Promise<Replayed> {
  const log = new KeptLog()
  const clock: Clock = options.clock ?? new SimulatedClock({ isEager: true })
  const source = await openReplay(path, { log, ...options, clock })
  try {
    const messages = await takeAll(source)
    return {
      messages,
      values: messages.map(({ value }) => value),
      lines: log.lines,
      rejected: source.rejectedCount,
      description: source.description,
    }
  } finally {
    await source.stop()
  }
}
