import type { Probe } from '../../store/client/probe.ts'
import type { Asked, DeadLettersState } from '../snapshot.ts'

/** In a flood the number says enough. */
const maxCounted = 100_000

/**
 * What workers tell of their last minutes is up to five seconds old, and reaches back five more. Letters have to reach as
 * far: else a rate is high for a moment after its reason is gone, and alerts under another name.
 */
const countsReachBackSeconds = 15

/** Messages rejected lately, by reason. */
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
