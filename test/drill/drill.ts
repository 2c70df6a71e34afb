import { rulePatience } from '../../src/alerts/alert-rules.ts'
import { messageOf } from '../../src/errors.ts'
import { until } from '../integration/scenes/until.ts'
import { type Fault, faults } from './faults.ts'
import { type Pace, wantedSeconds } from './pace.ts'
import type { ScenarioName } from './scenario-names.ts'
import type { Site } from './site.ts'
import { isExpected, type Outcome, outcomeOf, type Telling } from './tellings.ts'

/** What came of one fault. */
export interface Finding extends Outcome {
  readonly name: ScenarioName
  readonly title: string
  readonly rule: string
  readonly stage: string
  readonly wantedSeconds: number
  /** What was not as wanted; empty where all was. */
  readonly misses: readonly string[]
}

const usualLooksHeld = 4
/** Looks without anything after the end: a RESOLVED that comes twice, or an alert that comes late. */
const looksAfterEnd = 3
const lateSeconds = 60
const resolveSeconds = 90

/** Breaks the pipeline in one way, waits for the alert, repairs it, and waits for the end of all that followed. */
export async function tryFault(site: Site, name: ScenarioName, say: (line: string) => void): Promise<Finding> {
  const fault = faults[name]
  const { expected, title } = fault
  const wanted = wantedSeconds(site.pace, expected.rule, fault.ruleWaitSeconds(site.pace))
  const first = site.inbox.tellings.length
  const told = () => site.inbox.tellings.slice(first)
  const problems: string[] = []
  const repair = await fault.begin(site)
  const brokenAtMs = performance.now()
  await untilTold(told, (telling) => telling.state === 'firing' && isExpected(telling, expected), wanted + lateSeconds)
  await site.evaluations(fault.looksHeld ?? usualLooksHeld)
  say(`${title}: told ${tellingText(told(), brokenAtMs)}; repairing`)
  await repair()
  const repairedAtMs = performance.now()
  const patienceSeconds = resolveLimit(fault, site.pace)
  await untilTold(told, (telling) => telling.state === 'resolved' && isExpected(telling, expected), patienceSeconds)
  try {
    await site.quiet(patienceSeconds * 1000)
    await site.evaluations(looksAfterEnd)
  } catch (error) {
    problems.push(`did not come to rest: ${messageOf(error)}`)
  }
  const outcome = outcomeOf(told(), expected, { brokenAtMs, repairedAtMs })
  say(`${title}: told ${tellingText(told(), brokenAtMs)}`)
  const misses = [...missesOf(outcome, wanted), ...problems]
  for (const miss of misses) say(`${title}: MISSED: ${miss}`)
  return { name, title, rule: expected.rule, stage: expected.stage, wantedSeconds: wanted, ...outcome, misses }
}

function resolveLimit(fault: Fault, pace: Pace): number {
  const { keepChecks } = rulePatience[fault.expected.rule]
  return (fault.clearWaitSeconds?.(pace) ?? 0) + (keepChecks + 2) * Math.max(pace.intervalSeconds, 4) + resolveSeconds
}

/** Or until it is too late, which the outcome shows. */
async function untilTold(
  told: () => readonly Telling[],
  isIt: (telling: Telling) => boolean,
  limitSeconds: number,
): Promise<void> {
  await until('told', told, (tellings) => tellings.some(isIt), limitSeconds * 1000).catch(() => undefined)
}

function missesOf(outcome: Outcome, wanted: number): string[] {
  const { detectedSeconds, resolvedSeconds, firings, resolutions, wrong } = outcome
  const misses: string[] = []
  if (detectedSeconds === null) misses.push('it was not told')
  else if (detectedSeconds > wanted)
    misses.push(`told after ${detectedSeconds.toFixed(1)} s, not ${wanted.toFixed(1)} s`)
  if (resolvedSeconds === null) misses.push('its end was not told')
  if (firings > 1 || resolutions > 1) misses.push(`${firings} FIRING and ${resolutions} RESOLVED`)
  if (wrong.length > 0) misses.push(`also told: ${wrong.join(', ')}`)
  return misses
}

function tellingText(tellings: readonly Telling[], sinceMs: number): string {
  const texts = tellings.map(({ atMs, state, severity, rule, summary }) => {
    const after = ((atMs - sinceMs) / 1000).toFixed(1)
    return `${rule} ${state === 'firing' ? severity : 'RESOLVED'} after ${after} s${state === 'firing' ? ` (${summary})` : ''}`
  })
  return texts.length > 0 ? texts.join(', ') : 'nothing'
}
