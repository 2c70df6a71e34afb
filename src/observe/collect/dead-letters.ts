import type { Probe } from '../../store/probe.ts'
import type { Asked, DeadLettersState } from '../snapshot.ts'

/** In a flood the number says enough. */
const maxCounted = 100_000

/** Messages rejected lately, by reason. */
export async function lookAtDeadLetters(probe: Probe, { topic, recentSeconds }: Asked): Promise<DeadLettersState> {
  const rows = await probe.query<{ reason: string; letters: number }>(question, [topic, recentSeconds, maxCounted])
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
