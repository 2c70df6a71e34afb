import { createInterface } from 'node:readline/promises'
import { type Command, Option } from 'commander'
import { KpiError } from '../errors.ts'

/** The flags of every command that deletes or replaces data. */
export interface ConsentFlags {
  readonly yes?: true
  readonly dryRun?: true
}

/** Adds `--dry-run` and `--yes`. */
export function addConsentOptions(command: Command): Command {
  return command
    .addOption(new Option('--dry-run', 'only print what would be changed, and how much of it'))
    .addOption(new Option('--yes', 'do not ask; required without a terminal'))
}

/**
 * To be called before the command connects to anything.
 *
 * @throws KpiError `KPI_USAGE` where the command has to ask and nobody can answer.
 */
export function checkConsent(command: string, { yes, dryRun }: ConsentFlags): void {
  if (yes || dryRun || hasTerminal()) return
  throw new KpiError(
    'KPI_USAGE',
    `${command} asks before it changes data, and there is no terminal here: add --yes, or --dry-run to see what it would do`,
  )
}

/**
 * Asks whether to go on, unless `--yes` answers; with `--dry-run` it prints what would be done.
 *
 * @param what - What the command is about to do and to how much, as `delete 3 rejected messages`.
 * @returns Whether to do it.
 * @throws KpiError `KPI_USAGE` where nobody can answer.
 */
export async function hasConsent(command: string, flags: ConsentFlags, what: string): Promise<boolean> {
  if (flags.dryRun) {
    process.stdout.write(`would ${what}\nnothing was changed\n`)
    return false
  }
  if (flags.yes) return true
  checkConsent(command, flags)
  if (await isConfirmed(`${what.charAt(0).toUpperCase()}${what.slice(1)}?`)) return true
  process.stdout.write('nothing was changed\n')
  return false
}

/** Of a command that did nothing since it had no consent: a dry run did what it was asked for. */
export function exitWithoutConsent({ dryRun }: ConsentFlags): number {
  return dryRun ? 0 : 1
}

function hasTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

async function isConfirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C and Ctrl-D close it without an answer.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  const answer = await Promise.race([closed, terminal.question(`${question} [y/N] `).catch(() => '')])
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}
