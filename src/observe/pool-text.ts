import type { Measures } from './measures.ts'
import { percentText, waitText } from './rules/rule.ts'

/**
 * `queries waited 0.4 % of the time, 12 ms at the longest`, followed by the share of connections in use if a pool has
 * more than one. Undefined if no worker reports its pool.
 */
export function poolText({ poolWaitPercent, poolWaitMs, poolUsedPercent }: Measures): string | undefined {
  const used = poolUsedPercent.state === 'ok' ? `${percentText(poolUsedPercent.value)} in use` : undefined
  if (poolWaitPercent.state === 'unknown') return used
  const longest = poolWaitMs.state === 'ok' ? `, ${waitText(poolWaitMs.value)} at the longest` : ''
  const waited = `queries waited ${percentText(poolWaitPercent.value)} of the time${longest}`
  return used === undefined ? waited : `${waited}; ${used}`
}
