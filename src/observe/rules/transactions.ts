import { type OpenTransaction, transactionText } from '../../kafka/log/open-transactions.ts'
import { grouped } from '../../runtime/number-text.ts'
import type { PartitionLag } from '../lag.ts'
import type { PartitionLog } from '../snapshot.ts'
import { beyond, cannotJudge, type Found, found, type Rule, type RuleScene, span } from './rule.ts'

/**
 * R19: messages wait for a transaction that has been open for long. One finding for each partition, since each may wait
 * for another application.
 */
export const transactionStuck: Rule = (scene) => {
  const { log } = scene.snapshot.kafka
  if (log.state === 'unknown') return [cannotJudge('TransactionStuck', log.reason)]
  return scene.lags.flatMap((lag) => {
    const at = log.partitions.find(({ partition }) => partition === lag.partition)
    return at ? stuckIn(scene, lag, at) : []
  })
}

function stuckIn({ thresholds }: RuleScene, lag: PartitionLag, log: PartitionLog): Found[] {
  const { partition, blockedMessages, blockedSeconds } = lag
  const transaction = log.openTransaction
  if (transaction === null || blockedMessages === null || blockedSeconds === null) return []
  const { warningSeconds: warning, criticalSeconds: critical } = thresholds.transaction
  const severity = beyond(blockedSeconds, { warning, critical })
  if (!severity) return []
  const wait = blockedMessages === 1 ? '1 message waits' : `${grouped(blockedMessages)} messages wait`
  const summary = `partition ${partition}: ${wait} for ${transactionText(transaction)}, open ${openText(transaction, blockedSeconds)}`
  const labels = { partition: String(partition) }
  return [found('TransactionStuck', severity, summary, { labels, value: blockedMessages, unit: 'messages' })]
}

/** `since 2026-02-14 14:30:00 UTC (12 min)`, or `for at least 3 min`. */
function openText({ sinceMs }: OpenTransaction, seconds: number): string {
  if (sinceMs === null) return `for at least ${span(seconds)}`
  return `since ${new Date(sinceMs).toISOString().slice(0, 19).replace('T', ' ')} UTC (${span(seconds)})`
}
