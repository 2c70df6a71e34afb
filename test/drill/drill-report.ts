import type { Finding } from './drill.ts'

export interface DrillReport {
  readonly scale: number
  readonly intervalSeconds: number
  readonly findings: readonly Finding[]
  /** Null where it was not tried. */
  readonly healthyMinutes: number | null
  /** What was told in a healthy pipeline, or was not well in it. */
  readonly healthyMisses: readonly string[]
}

export function isGood({ findings, healthyMisses }: DrillReport): boolean {
  return healthyMisses.length === 0 && findings.every(({ misses }) => misses.length === 0)
}

/** As docs/drill.md shows it. */
export function markdownOf(report: DrillReport): string {
  const { findings, scale, intervalSeconds, healthyMinutes, healthyMisses } = report
  const header = [
    'fault',
    'alert',
    'stage',
    'notified after',
    'required',
    'others',
    'RESOLVED after',
    'FIRING/RESOLVED',
  ]
  const rows = findings.map((one) => [
    one.misses.length > 0 ? `**${one.title}: MISSED**` : one.title,
    [one.severity?.toUpperCase() ?? [], one.rule].flat().join(' '),
    one.stage,
    secondsText(one.detectedSeconds),
    `≤ ${one.wantedSeconds.toFixed(1)} s`,
    one.wrong.length > 0 ? one.wrong.join(', ') : '0',
    secondsText(one.resolvedSeconds),
    `${one.firings}/${one.resolutions}`,
  ])
  const lines = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  const healthy =
    healthyMinutes === null
      ? []
      : [
          `\nHealthy, with a feed in bursts, for ${Number(healthyMinutes.toFixed(2))} minutes: ${healthyMisses.length === 0 ? '0 alerts' : 'MISSED'}.`,
        ]
  const misses = findings.flatMap(({ title, misses: of }) => of.map((miss) => `\n- ${title}: ${miss}`))
  return `Scale ${scale}, a look every ${intervalSeconds} s.\n\n${lines.join('\n')}\n${healthy.join('')}${misses.join('')}${healthyMisses.map((miss) => `\n- healthy: ${miss}`).join('')}\n`
}

function secondsText(seconds: number | null): string {
  return seconds === null ? 'never' : `${seconds.toFixed(1)} s`
}
