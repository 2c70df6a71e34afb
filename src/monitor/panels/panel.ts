import type { Finding, Stage } from '../../observe/finding.ts'
import type { Observation } from '../../observe/observer.ts'
import type { Source } from '../../observe/snapshot.ts'
import { type Level, type Line, levelOf, signed, span } from '../line.ts'

/** The text of a panel: a summary for the overview, and details for the full screen. */
export interface PanelText {
  readonly title: string
  readonly level: Level
  /** The most important line first; lines that do not fit are left out. */
  readonly summary: readonly Line[]
  readonly detail: readonly Line[]
}

const levels: readonly Level[] = ['good', 'unknown', 'warning', 'critical']

/** The worst level of the findings in these stages. Symptoms count, since the panel shows the state, not the cause. */
export function stageLevel({ assessment }: Observation, ...stages: Stage[]): Level {
  const found = assessment.findings.filter(
    ({ stage, severity, isUnknown }) => stages.includes(stage) && severity !== 'info' && !isUnknown,
  )
  return worst(found.map(levelOf))
}

export function worst(found: readonly Level[]): Level {
  return found.reduce((a, b) => (levels.indexOf(b) > levels.indexOf(a) ? b : a), 'good' as Level)
}

/** The findings of these stages, one per line. */
export function findingLines(findings: readonly Finding[], ...stages: Stage[]): Line[] {
  return findings
    .filter(({ stage, severity, isUnknown }) => stages.includes(stage) && (severity !== 'info' || !isUnknown))
    .map((finding) => [
      signed(levelOf(finding), `${finding.rule}: ${finding.summary}`),
      span(finding.inhibitedBy ? ` (follows from ${finding.inhibitedBy})` : '', 'faint'),
    ])
}

const nameWidth = 18

/** `  name              text` */
export function fact(name: string, text: string): Line {
  return [span(`  ${name.padEnd(nameWidth)} `, 'faint'), span(text)]
}

/** A value of a source, or why it is unknown. */
export function factOf<T extends object>(name: string, source: Source<T>, text: (told: T) => string): Line {
  if (source.state === 'unknown') return unknownFact(name, source.reason)
  return fact(name, text(source))
}

export function unknownFact(name: string, reason: string): Line {
  return [span(`  ${name.padEnd(nameWidth)} `, 'faint'), signed('unknown', `unknown: ${reason}`)]
}
