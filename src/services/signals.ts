import { ownRuleNames, rulePatience } from '../alerts/alert-rules.ts'
import { type Signal, signalsOf } from '../alerts/signal.ts'
import { judgeUserRules } from '../alerts/user-rules/judge.ts'
import { type Config, loadUserRules } from '../config/load.ts'
import type { UserRule } from '../config/user-rules.ts'
import type { Observation, Observer } from '../observe/observer.ts'
import { postgresOptions, readerOptions } from '../store/client/connection.ts'

/** @throws KpiError `KPI_CONFIG_INVALID`. */
export function userRules(): UserRule[] {
  return loadUserRules([...Object.keys(rulePatience), ...ownRuleNames])
}

/** Observes the pipeline and returns the findings of the built-in rules and of the rules in market-kpi.yaml. */
export function observeSignals(
  config: Config,
  observer: Observer,
  rules: readonly UserRule[],
): () => Promise<{ readonly observation: Observation; readonly signals: Signal[] }> {
  const postgres = postgresOptions(config)
  const reader = readerOptions(config)
  const { windowSeconds } = config
  return async () => {
    const [observation, own] = await Promise.all([
      observer.observe(0),
      judgeUserRules({ postgres, reader, rules, windowSeconds, now: Date.now }),
    ])
    return { observation, signals: [...signalsOf(observation.assessment.findings), ...own] }
  }
}
