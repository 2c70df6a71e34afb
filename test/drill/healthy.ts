import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../integration/scenes/until.ts'
import { type Site, usualRate } from './site.ts'

/** The first lines of `health`; a lag above its target is said to be so, and well all the same. */
const firstLines = [
  /^Kafka connectivity: OK$/,
  /^Kafka topic '[^']+': OK - 3 partitions$/,
  /^PostgreSQL connectivity: OK$/,
  /^KPI table: OK - [\d,]+ rows?$/,
  /^Consumer lag: OK - [\d,]+ messages?\b/,
]
const lastLine = '\n\nALL SYSTEMS OPERATIONAL ✓\n'

function isAllWell({ code, output }: { code: number; output: string }): boolean {
  const lines = output.split('\n')
  return code === 0 && firstLines.every((line, index) => line.test(lines[index] ?? '')) && output.endsWith(lastLine)
}

/** @returns What is not as it must be in a pipeline that works. */
export async function checkHealthy(site: Site): Promise<string[]> {
  const health = await until(
    'healthy',
    () => site.command('health'),
    ({ code }) => code === 0,
    30_000,
  ).catch(() => site.command('health'))
  const check = await site.command('alerts', 'check')
  return [
    ...(isAllWell(health) ? [] : [`health ended with ${health.code}: ${health.output}`]),
    ...(check.code === 0 ? [] : [`alerts check ended with ${check.code}: ${check.output}`]),
  ]
}

/** Twenty times the usual, in bursts as long as the pauses between them; before scaling. */
const burstFactor = 20
const burstSeconds = 60

/** A feed in bursts for so long, in which nothing may be told. @returns What was. */
export async function stayHealthy(
  site: Site,
  { minutes, scale }: { minutes: number; scale: number },
): Promise<string[]> {
  const first = site.inbox.tellings.length
  const seconds = String(Math.max(1, burstSeconds * scale))
  await site.feed.stop()
  await site.startFeed('--rate', String(usualRate * burstFactor), '--pause-every', seconds, '--pause-for', seconds)
  await delay(minutes * scale * 60_000)
  const told = site.inbox.tellings.slice(first)
  return [
    ...told.map(({ severity, rule, summary }) => `${severity} ${rule}: ${summary}`),
    ...(await checkHealthy(site)),
  ]
}
