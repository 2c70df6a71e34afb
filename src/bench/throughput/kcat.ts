import { spawn, spawnSync } from 'node:child_process'
import { KpiError } from '../../errors.ts'

/** `kcat`, if it is installed: plain consumption with librdkafka, in C, without processing. */
export interface Kcat {
  /** The version of librdkafka. */
  readonly version: string
  /** Reads a topic from beginning to end. @returns How long the process took, in seconds. */
  read(bootstrap: string, topic: string): Promise<number>
}

/** @returns undefined if it is not installed. */
export function findKcat(): Kcat | undefined {
  const { stdout, error } = spawnSync('kcat', ['-V'], { encoding: 'utf8' })
  if (error) return undefined
  const version = /librdkafka (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? 'of unknown version'
  return { version, read: (bootstrap, topic) => read(tuning(version), bootstrap, topic) }
}

/**
 * Settings for kcat. With its defaults it would fill a queue of 64 MB and then sleep for a second, and wait for half
 * a second at the end. If the version can configure the sleep, it is made short; otherwise the queue is made too
 * large to fill up.
 */
function tuning(version: string): string[] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const hasBackoff = major > 2 || (major === 2 && minor >= 2)
  const queue = hasBackoff
    ? ['fetch.queue.backoff.ms=10']
    : ['queued.min.messages=10000000', 'queued.max.messages.kbytes=2097151']
  return ['fetch.wait.max.ms=10', ...queue].flatMap((setting) => ['-X', setting])
}

async function read(settings: readonly string[], bootstrap: string, topic: string): Promise<number> {
  const startedAtMs = performance.now()
  const args = ['-C', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '', ...settings]
  const child = spawn('kcat', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  process.off('exit', end)
  if (code !== 0) throw new KpiError('KPI_CHILD_FAILED', `kcat ended with ${code}`)
  return (performance.now() - startedAtMs) / 1000
}
