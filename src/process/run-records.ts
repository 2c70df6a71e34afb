import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identify, type ProcessIdentity } from './process-identity.ts'

/**
 * The content of DIR/run/NAME.json about one child. After a kill −9 of `up`, the next start finds its children by it.
 */
export interface RunRecord extends ProcessIdentity {
  readonly name: string
  readonly command: string
}

/** The records of the children of one data directory. */
export class RunRecords {
  readonly #directory: string

  constructor(dataDir: string) {
    this.#directory = join(dataDir, 'run')
  }

  /** Call it directly after the start, before any other step can fail. */
  write(name: string, pid: number, command: string): void {
    const identity = identify(pid)
    if (!identity) return
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    const record: RunRecord = { name, ...identity, command }
    const temporary = join(this.#directory, `.${name}.new`)
    writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 })
    renameSync(temporary, this.#pathOf(name))
  }

  /** Removes the record of a child that ended, unless a successor has already written its own. */
  remove(name: string, pid: number): void {
    if (this.#read(`${name}.json`)?.pid === pid) rmSync(this.#pathOf(name), { force: true })
  }

  all(): RunRecord[] {
    const records: RunRecord[] = []
    for (const file of this.#files()) {
      const record = this.#read(file)
      if (record) records.push(record)
    }
    return records
  }

  #files(): string[] {
    try {
      return readdirSync(this.#directory).filter((file) => file.endsWith('.json'))
    } catch {
      return []
    }
  }

  #read(file: string): RunRecord | undefined {
    try {
      const record = JSON.parse(readFileSync(join(this.#directory, file), 'utf8')) as Partial<RunRecord>
      const { name, pid, startedAs, command } = record
      if (typeof name !== 'string' || typeof pid !== 'number' || typeof startedAs !== 'string') return undefined
      return { name, pid, startedAs, command: command ?? '' }
    } catch {
      return undefined
    }
  }

  #pathOf(name: string): string {
    return join(this.#directory, `${name}.json`)
  }
}
