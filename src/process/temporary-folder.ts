import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAllChildren } from './child.ts'

/** A process that was just killed may still write to the folder: removal is retried for at most 2 s. */
const removal = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const

const folders = new Set<string>()

/**
 * Creates a folder that is removed when the process ends: at its normal end, by an error, by `process.exit`, or by a
 * signal that was converted to one of these ({@link exitOnSignals}). Children of {@link killAllChildren} end first.
 *
 * @param prefix - The start of its name.
 */
export function makeTemporaryFolder(prefix: string): string {
  if (folders.size === 0) process.once('exit', removeAll)
  const path = mkdtempSync(join(tmpdir(), prefix))
  folders.add(path)
  return path
}

/** Removes the folder before the process ends. Idempotent. */
export function removeTemporaryFolder(path: string): void {
  rmSync(path, removal)
  folders.delete(path)
  if (folders.size === 0) process.off('exit', removeAll)
}

function removeAll(): void {
  killAllChildren()
  for (const path of folders) rmSync(path, removal)
  folders.clear()
}

const stopSignals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/**
 * Converts signals, which would end the process without clean-up, to `process.exit`, with the exit codes that shells
 * use.
 *
 * @param first - Called at the first signal; returns true when it ends the process in another way. A further signal
 *   exits.
 */
export function exitOnSignals(first: (signal: NodeJS.Signals) => boolean = () => false): void {
  let isFirst = true
  for (const [signal, number] of Object.entries(stopSignals)) {
    process.on(signal as NodeJS.Signals, () => {
      const isLeft = isFirst && first(signal as NodeJS.Signals)
      isFirst = false
      if (!isLeft) process.exit(128 + number)
    })
  }
}
