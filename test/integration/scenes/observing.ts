import type { Config } from '../../../src/config/load.ts'
import { thresholdsOf } from '../../../src/config/thresholds.ts'
import { checksOf } from '../../../src/observe/checks.ts'
import type { Observer } from '../../../src/observe/observer.ts'
import type { PipelineSnapshot } from '../../../src/observe/snapshot.ts'
import { observerOf } from '../../../src/services/observer-of.ts'
import { messageText, send } from './market.ts'
import type { Pipeline } from './pipeline.ts'
import { marketKpi } from './processes.ts'
import { until } from './until.ts'

/** Whether the disk under the tests is full is not what they are about. */
const anyDisk = { diskWarningPercent: 99.8, diskCriticalPercent: 99.9 }
export const anyDiskEnv = { DISK_WARNING_PERCENT: '99.8', DISK_CRITICAL_PERCENT: '99.9' }

export function observe(config: Config): Observer {
  return observerOf(config, thresholdsOf({ ...config, ...anyDisk }))
}

export async function lookAt({ config }: Pick<Pipeline, 'config'>): Promise<PipelineSnapshot> {
  return (await observe(config).observe(0)).snapshot
}

/** What a source said; a test that gets nothing says why. */
export function told<T>(
  source: ({ readonly state: 'ok' } & T) | { readonly state: 'unknown'; readonly reason: string },
): T {
  if (source.state === 'unknown') throw new Error(`nothing is known: ${source.reason}`)
  return source
}

/** So many prices of now, of ten symbols, with bad ones among them. */
export async function sendNow({ cluster, config }: Pipeline, count: number, bad = 0): Promise<void> {
  const values = Array.from({ length: count }, (_, index) => {
    const symbol = `SYM${index % 10}`
    const trade = { symbol, timestampMs: Date.now(), close: BigInt(index + 1) * 100_000_000n, volume: 100_000_000n }
    return { symbol, value: index < bad ? 'bad' : messageText(trade) }
  })
  await send(cluster, config.kafkaTopic, values)
}

/** `market-kpi health ARGS` as a process. */
export async function health(env: Record<string, string>, ...args: string[]) {
  const run = marketKpi(['health', ...args], { ...anyDiskEnv, ...env })
  const { code } = await run.exited
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}

/** Looks until a check has this status, and returns its text. */
export async function untilCheck(config: Config, key: string, status: string): Promise<string> {
  const observer = observe(config)
  const found = await until(
    `${key} ${status}`,
    async () => checksOf(await observer.observe(0), thresholdsOf(config)),
    (checks) => checks.some((check) => check.key === key && check.status === status),
  )
  return found.find((check) => check.key === key)?.text ?? ''
}
