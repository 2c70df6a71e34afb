import type { Episode } from '../../../src/alerts/episode.ts'

const firedAtMs = Date.UTC(2026, 1, 14, 14, 30)

/** An alert that fires, and that no receiver knows of. */
export function sampleEpisode(changes: Partial<Episode> = {}): Episode {
  return {
    id: '6f1c2a9e-0000-4000-8000-000000000001',
    fingerprint: '0123456789abcdef',
    rule: 'NoConsumer',
    severity: 'warning',
    stage: 'consumer',
    labels: {},
    summary: 'a problem',
    value: null,
    unit: null,
    state: 'firing',
    startedAtMs: firedAtMs - 15_000,
    firedAtMs,
    resolvedAtMs: null,
    pendingSinceMs: firedAtMs - 15_000,
    clearSinceMs: null,
    unknownSinceMs: null,
    inhibitedBy: null,
    deliveries: {},
    ...changes,
  }
}
