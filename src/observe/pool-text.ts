import type { Measures } from './measures.ts'
import { percentText, waitText } from './rules/rule.ts'

/**
 * `queries waited 0.4 % of the time, 12 ms at the longest`, and how much of the fullest pool is in use where one has more than
 * one connection. Undefined where no worker reports it.
 */
export function poolText({ poolWaitPercent, poolWaitMs, poolUsedPercent }: Measures): string | undefined {
  const used = poolUsedPercent.state === 'ok' ? `${percentText(poolUsedPercent.value)} in use` : undefined
  if (poolWaitPercent.state === 'unknown') return used
  const longest = poolWaitMs.state === 'ok' ? `, ${waitText(poolWaitMs.value)} at the longest` : ''
  const waited = `queries waited ${percentText(poolWaitPercent.value)} of the time${longest}`
  return used === undefined ? waited : `${waited}; ${used}`
}
