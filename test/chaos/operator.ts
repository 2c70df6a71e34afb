import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

export interface OperatorOptions {
  readonly env: Record<string, string>
  /** Of the workers. */
  readonly logsDir: string
  readonly say: (line: string) => void
  /** Ends early when the run does. */
  readonly pause: (ms: number) => Promise<void>
  readonly signal: AbortSignal
}

const watchPauseMs = 1000

/**
 * Who reads the workers' logs, and does what they ask for: accepts a gap when, and only when, a worker says that its
 * partition stands still for one.
 */
export class Operator {
  readonly #options: OperatorOptions
  /** How much of each log was read. */
  readonly #read = new Map<string, number>()
  #loop: Promise<void> | undefined
  #isAsked = false
  #isDone = false
  #accepted = 0

  constructor(options: OperatorOptions) {
    this.#options = options
  }

  /** How often a gap was accepted. */
  get accepted(): number {
    return this.#accepted
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#isDone = true
    await this.#loop
  }

  async #run(): Promise<void> {
    const { pause, signal } = this.#options
    while (!this.#isDone && !signal.aborted) {
      if (this.#hasNewRequest()) this.#isAsked = true
      if (this.#isAsked) await this.#accept()
      await pause(watchPauseMs)
    }
  }

  #hasNewRequest(): boolean {
    const logs = readdirSync(this.#options.logsDir).filter((name) => /^(worker-\d+|visitor)\.log$/.test(name))
    // Every log is read, even when one has it.
    return logs.map((name) => this.#newText(name)).some((text) => text.includes('offsets accept-gap'))
  }

  #newText(name: string): string {
    const path = join(this.#options.logsDir, name)
    if (!existsSync(path) || statSync(path).size === this.#read.get(name)) return ''
    const bytes = readFileSync(path)
    const text = bytes.toString('utf8', this.#read.get(name) ?? 0)
    this.#read.set(name, bytes.length)
    return text
  }

  async #accept(): Promise<void> {
    const { env, say } = this.#options
    const args = [join(root, 'bin', 'market-kpi.js'), 'offsets', 'accept-gap', '--all', '--yes']
    try {
      const { stdout } = await run(process.execPath, args, {
        cwd: root,
        env: { ...process.env, NO_COLOR: '1', ...env },
      })
      for (const line of stdout.trim().split('\n')) say(`operator: ${line}`)
      this.#isAsked = false
      if (!stdout.startsWith('no gap')) this.#accepted += 1
    } catch (error) {
      // A fault is at work, or the position moved meanwhile: once more.
      say(`operator: accept-gap did not work: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`)
    }
  }
}
