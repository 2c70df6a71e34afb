import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAllChildren } from './child.ts'

/** What a process that was just killed still writes is waited for, 2 s at most. */
const removal = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const

const folders = new Set<string>()

/**
 * Makes a folder that goes when the process ends, however it does: by its last line, an error, `process.exit`, or a signal
 * that somebody turned into one of these ({@link exitOnSignals}). Children of {@link killAllChildren} end before it.
 *
 * @param prefix - Of its name.
 */
export function makeTemporaryFolder(prefix: string): string {
  if (folders.size === 0) process.once('exit', removeAll)
  const path = mkdtempSync(join(tmpdir(), prefix))
  folders.add(path)
  return path
}

/** For who is done with it before the end. Idempotent. */
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
 * Turns signals, which end a process without its clean-up, into `process.exit`, with the exit code that shells give.
 *
 * @param first - Asked at the first signal: returns true when it ends the process in another way. A further signal exits.
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
