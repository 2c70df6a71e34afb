import { stringify } from 'yaml'
import { kindOf, symptomsOf } from '../../observe/inhibition.ts'

/** An inhibit rule in Alertmanager's format. */
export interface InhibitRule {
  readonly source_matchers: readonly string[]
  readonly target_matchers: readonly string[]
  readonly equal: readonly string[]
}

/** A cause inhibits only alerts of the same pipeline. */
const equal = ['job']

/**
 * The inhibit rules for Alertmanager: a symptom is inhibited while its cause fires. A warning never inhibits a critical
 * alert. The warning of a rule is inhibited while the same rule is critical.
 */
export function inhibitRules(): InhibitRule[] {
  return [
    {
      source_matchers: ['severity="critical"'],
      target_matchers: ['severity="warning"'],
      equal: [...equal, 'alertname', 'symbol', 'clock', 'kind', 'broker', 'directory', 'partition'],
    },
    ...symptomsOf.flatMap(([cause, symptoms]) => {
      const kind = kindOf[cause]
      const others = kind === undefined ? symptoms : symptoms.filter((rule) => rule !== 'WorkerDown')
      const targets = [
        [`alertname=~"${others.join('|')}"`],
        // `WorkerDown` is explained by this cause only if it is about a process of the same kind.
        ...(others.length < symptoms.length ? [['alertname="WorkerDown"', `kind="${kind}"`]] : []),
      ]
      return targets.flatMap((target) => [
        { source_matchers: [`alertname="${cause}"`, 'severity="critical"'], target_matchers: target, equal },
        {
          source_matchers: [`alertname="${cause}"`, 'severity="warning"'],
          target_matchers: [...target, 'severity!="critical"'],
          equal,
        },
      ])
    }),
  ]
}

/** The inhibit rules as a part of alertmanager.yml. */
export function inhibitFile(): string {
  const head = "# Written by 'market-kpi export prometheus-rules --inhibit': a part of alertmanager.yml.\n"
  return head + stringify({ inhibit_rules: inhibitRules() }, { lineWidth: 0, aliasDuplicateObjects: false })
}
