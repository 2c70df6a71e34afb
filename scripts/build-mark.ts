// What a folder was built from is written into it, last: a folder without the mark is one whose build was interrupted.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const markName = 'built-from.txt'

/** Whether the folder was built completely, and from exactly this text. */
export function isBuiltFrom(folder: string, wanted: string): boolean {
  const mark = join(folder, markName)
  return existsSync(mark) && readFileSync(mark, 'utf8') === wanted
}

export function markBuilt(folder: string, from: string): void {
  writeFileSync(join(folder, markName), from)
}
