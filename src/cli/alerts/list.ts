import { type Command, Option } from 'commander'
import { withDatabase } from '../../services/servers.ts'
import type { AlertRow } from '../../store/alerts/alert-session.ts'
import { listSilences, type SilenceRow } from '../../store/alerts/alert-silences.ts'
import { listAlertHistory, listOpenAlerts } from '../../store/alerts/alerts.ts'
import { addStackOption, configure, wholeNumber, withErrors } from '../command.ts'
import { sinceOption } from '../options/time-option.ts'
import { isoTime } from '../text/instant-text.ts'
import { table } from '../text/table.ts'

export function registerList(command: Command): void {
  command.option('--json', 'print one JSON object')
  addStackOption(command, 'reader').action(withErrors((_flags: unknown, self: Command) => list(self)))
}

export function registerHistory(command: Command): void {
  command
    .addOption(
      new Option('--since <time>', 'an age (15m, 2h, 7d) or a date and time')
        .argParser(sinceOption)
        .default(sinceOption('7d'), '7d'),
    )
    .option('--limit <n>', 'maximum number', wholeNumber(1, 100_000), 100)
    .option('--json', 'print an array')
  addStackOption(command, 'reader').action(withErrors((_flags: unknown, self: Command) => history(self)))
}

async function list(command: Command): Promise<void> {
  const { config } = configure(command)
  const found = await withDatabase(config, 'alerts', async (database) => ({
    alerts: await listOpenAlerts(database),
    silences: await listSilences(database),
  }))
  // The Watchdog alert always fires to show that alerting works, so it is of no interest to people.
  const alerts = found.alerts.filter(({ rule }) => rule !== 'Watchdog')
  if (command.opts<{ json?: true }>().json) {
    process.stdout.write(`${JSON.stringify({ alerts: alerts.map(shown), silences: found.silences })}\n`)
    return
  }
  process.stdout.write(alerts.length > 0 ? openTable(alerts) : 'no alerts\n')
  if (found.silences.length > 0) process.stdout.write(`\n${silenceTable(found.silences)}`)
}

async function history(command: Command): Promise<void> {
  const { config } = configure(command)
  const { since, limit, json } = command.opts<{ since: Date; limit: number; json?: true }>()
  const found = await withDatabase(config, 'alerts', (database) => listAlertHistory(database, { since, limit }))
  const alerts = found.filter(({ rule }) => rule !== 'Watchdog')
  if (json) process.stdout.write(`${JSON.stringify(alerts.map(shown))}\n`)
  else process.stdout.write(alerts.length > 0 ? historyTable(alerts) : 'no alerts\n')
}

/** Leaves out what only the evaluator uses. */
function shown({ progress: _, ...alert }: AlertRow): Omit<AlertRow, 'progress'> {
  return alert
}

function openTable(alerts: readonly AlertRow[]): string {
  const columns = ['severity', 'state', 'since', 'rule', 'labels', 'summary'].map((title) => ({ title }))
  return table(
    columns,
    alerts.map(({ severity, state, inhibitedBy, startedAt, firedAt, rule, labels, summary }) => [
      severity,
      inhibitedBy === null ? state : 'symptom',
      isoTime(firedAt ?? startedAt),
      rule,
      labelText(labels),
      inhibitedBy === null ? summary : `${summary} (because of ${inhibitedBy})`,
    ]),
  )
}

function historyTable(alerts: readonly AlertRow[]): string {
  const columns = ['fired', 'resolved', 'severity', 'rule', 'labels', 'summary'].map((title) => ({ title }))
  return table(
    columns,
    alerts.map(({ firedAt, startedAt, resolvedAt, severity, rule, labels, summary }) => [
      isoTime(firedAt ?? startedAt),
      resolvedAt === null ? '' : isoTime(resolvedAt),
      severity,
      rule,
      labelText(labels),
      summary,
    ]),
  )
}

function silenceTable(silences: readonly SilenceRow[]): string {
  const columns = ['silence', 'mutes', 'until', 'by', 'comment'].map((title) => ({ title }))
  return table(
    columns,
    silences.map(({ id, matchers, expiresAt, createdBy, comment }) => [
      String(id),
      matchers.map(({ name, value }) => `${name}=${value}`).join(' '),
      isoTime(expiresAt),
      createdBy,
      comment,
    ]),
  )
}

function labelText(labels: AlertRow['labels']): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}
