import type { Probe } from '../../store/client/probe.ts'
import type { Asked, DeadLettersState } from '../snapshot.ts'

/** Not more are counted: above this number the exact count does not matter. */
const maxCounted = 100_000

/**
 * The counts that workers report are up to five seconds old, and reach back five seconds more. Dead letters are counted
 * at least as far back: otherwise the error rate is still high for a moment when its reasons are no longer counted, and
 * the alert is raised by another rule.
 */
const countsReachBackSeconds = 15

/** Counts the messages rejected recently, by reason. */
export async function lookAtDeadLetters(probe: Probe, { topic, recentSeconds }: Asked): Promise<DeadLettersState> {
  const values = [topic, recentSeconds + countsReachBackSeconds, maxCounted]
  const rows = await probe.query<{ reason: string; letters: number }>(question, values)
  const total = rows.reduce((sum, { letters }) => sum + letters, 0)
  return {
    recentByReason: Object.fromEntries(rows.map(({ reason, letters }) => [reason, letters])),
    isCapped: total >= maxCounted,
  }
}

const question = `
  SELECT reason, count(*) AS letters FROM (
    SELECT reason FROM dead_letters
    WHERE topic = $1 AND received_at > now() - make_interval(secs => $2) ORDER BY received_at DESC LIMIT $3
  ) AS recent GROUP BY reason ORDER BY letters DESC, reason`
