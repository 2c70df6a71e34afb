import { userInfo } from 'node:os'
import { type Command, InvalidArgumentError } from 'commander'
import { ownRuleNames } from '../../alerts/alert-rules.ts'
import { ruleTexts } from '../../alerts/rule-texts.ts'
import { checkMatcher, type KnownAlerts, type Matcher, parseMatcher } from '../../alerts/silence.ts'
import { assert, KpiError } from '../../errors.ts'
import { ruleNames } from '../../observe/finding.ts'
import { withDatabase } from '../../services/servers.ts'
import { userRules } from '../../services/signals.ts'
import { addSilence, endSilence } from '../../store/alerts/alert-silences.ts'
import { knownRulesAndLabels } from '../../store/alerts/alerts.ts'
import { addStackOption, configure, wholeNumber, withErrors } from '../command.ts'
import { ageOption } from '../options/time-option.ts'
import { isoTime } from '../text/instant-text.ts'

const maxDays = 90

export function registerSilence(command: Command): void {
  command
    .argument('<matchers...>', 'a rule, or label=value (also severity=, stage=); all must match, * matches anything')
    .requiredOption('--for <time>', 'duration: 30m, 2h, 7d', silenceTime)
    .option('--comment <text>', 'reason', '')
    .option('--json', 'print the silence as JSON')
  addStackOption(command, 'pipeline').action(
    withErrors((matchers: string[], _flags: unknown, self: Command) => silence(matchers, self)),
  )
}

export function registerUnsilence(command: Command): void {
  command.argument('<id>', "number of the silence, as shown by 'alerts list'", wholeNumber(1, 999_999_999_999_999))
  addStackOption(command, 'pipeline').action(
    withErrors((id: number, _flags: unknown, self: Command) => unsilence(id, self)),
  )
}

function silenceTime(text: string): number {
  const forMs = ageOption(text)
  if (forMs <= maxDays * 86_400_000) return forMs
  throw new InvalidArgumentError(`must be ${maxDays}d at most: silence it again then, or remove the rule`)
}

async function silence(texts: readonly string[], command: Command): Promise<void> {
  const matchers: Matcher[] = texts.map(parseMatcher)
  const { config } = configure(command)
  const { for: forMs, comment, json } = command.opts<{ for: number; comment: string; json?: true }>()
  const given = { matchers, comment, createdBy: userInfo().username, forMs }
  const row = await withDatabase(config, 'alerts', async (database) => {
    const known = knownAlerts(await knownRulesAndLabels(database))
    for (const matcher of matchers) checkMatcher(matcher, known)
    return addSilence(database, given)
  })
  assert(row, 'a silence that was added has a row')
  const text = json ? JSON.stringify(row) : `silence ${row.id}: ${texts.join(' ')} until ${isoTime(row.expiresAt)}`
  process.stdout.write(`${text}\n`)
}

function knownAlerts(earlier: Pick<KnownAlerts, 'rules' | 'labels'>): KnownAlerts {
  const own = userRules()
  const ownLabels = own.flatMap(({ labels, kpi }) => [...Object.keys(labels), ...(kpi ? ['symbol'] : [])])
  const texts = [...ruleNames, ...ownRuleNames].map((name) => ruleTexts[name])
  const rules = [...ruleNames, ...ownRuleNames, ...own.map(({ name }) => name), ...earlier.rules]
  const labels = [...texts.flatMap((text) => text.labels), ...ownLabels, ...earlier.labels]
  return {
    rules: [...new Set(rules)],
    labels: [...new Set(labels)].filter((name) => name !== 'rule'),
    hasAnyLabel: own.some(({ sql }) => sql !== undefined),
  }
}

async function unsilence(id: number, command: Command): Promise<void> {
  const { config } = configure(command)
  const wasThere = await withDatabase(config, 'alerts', (database) => endSilence(database, id))
  if (!wasThere)
    throw new KpiError('KPI_USAGE', `there is no silence ${id}, or it has ended: see 'market-kpi alerts list'`)
  process.stdout.write(`silence ${id} has ended\n`)
}
