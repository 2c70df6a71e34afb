import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { ownRuleNames } from '../../alerts/alert-rules.ts'
import { ruleTexts } from '../../alerts/rule-texts.ts'
import { nearest, suggestion } from '../../config/nearest.ts'
import type { UserRule } from '../../config/user-rules.ts'
import { KpiError } from '../../errors.ts'
import { ruleNames } from '../../observe/finding.ts'
import { userRules } from '../../services/signals.ts'
import { withErrors } from '../command.ts'
import { table } from '../text/table.ts'
import { pageText } from './page-text.ts'

/** The pages are part of the package, next to the code. */
const pages = join(import.meta.dirname, '..', '..', '..', 'docs', 'alerts')

export function registerExplain(command: Command): void {
  command
    .argument('[rule]', 'name of a rule, such as KafkaUnreachable or one in market-kpi.yaml')
    .action(withErrors(async (rule: string | undefined) => explain(rule)))
}

const names: readonly (keyof typeof ruleTexts)[] = [...ruleNames, ...ownRuleNames]

/** @throws KpiError `KPI_USAGE` if the rule does not exist. */
async function explain(given: string | undefined): Promise<void> {
  const name = names.find((known) => known.toLowerCase() === given?.toLowerCase())
  process.stdout.write(name ? pageText(readFileSync(join(pages, `${name}.md`), 'utf8')) : explainOwn(given))
}

function explainOwn(given: string | undefined): string {
  const own = userRules()
  if (given === undefined) return listText(own)
  const rule = own.find(({ name }) => name === given)
  if (rule) return ownRuleText(rule)
  const known = [...names, ...own.map(({ name }) => name)]
  const hint = nearest(given, known) === undefined ? '' : " ('market-kpi alerts explain' lists all)"
  throw new KpiError('KPI_USAGE', `there is no alert rule '${given}': ${suggestion(given, known)}${hint}`)
}

function listText(own: readonly UserRule[]): string {
  const rows = [
    ...names.map((name) => [name, ruleTexts[name].about]),
    ...own.map(({ name, severity }) => [name, `${severity}, a rule of market-kpi.yaml`]),
  ]
  return `${table([{ title: 'rule' }, { title: 'finds' }], rows)}\nmarket-kpi alerts explain RULE prints its page\n`
}

/** The rule as in market-kpi.yaml, with the defaults filled in; times in seconds. */
function ownRuleText({ kpi, for: forMs, ...rule }: UserRule): string {
  const seconds = (ms: number) => `${ms / 1000}s`
  const shown = { ...rule, for: seconds(forMs), ...(kpi ? { kpi: { ...kpi, within: seconds(kpi.within) } } : {}) }
  return `${rule.name} is a rule of market-kpi.yaml:\n\n${stringify(shown).replace(/^(?=.)/gm, '    ')}`
}
