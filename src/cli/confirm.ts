import { createInterface } from 'node:readline/promises'
import { type Command, Option } from 'commander'
import { KpiError } from '../errors.ts'

/** The flags of all commands that delete or replace data. */
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
 * Call this before the command connects to a server.
 *
 * @throws KpiError `KPI_USAGE` if the command has to ask but there is no terminal.
 */
export function checkConsent(command: string, { yes, dryRun }: ConsentFlags): void {
  if (yes || dryRun || hasTerminal()) return
  throw new KpiError(
    'KPI_USAGE',
    `${command} asks before it changes data, and there is no terminal here: add --yes, or --dry-run to see what it would do`,
  )
}

/**
 * Asks whether to continue, unless `--yes` is given. With `--dry-run` it only prints what would be done.
 *
 * @param what - What the command is about to do, with the amount: `delete 3 rejected messages`.
 * @returns Whether to do it.
 * @throws KpiError `KPI_USAGE` if the command has to ask but there is no terminal.
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

/** The exit code of a command that had no consent. A dry run succeeded, because doing nothing was its task. */
export function exitWithoutConsent({ dryRun }: ConsentFlags): number {
  return dryRun ? 0 : 1
}

function hasTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

async function isConfirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C and Ctrl-D close the terminal without an answer.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  const answer = await Promise.race([closed, terminal.question(`${question} [y/N] `).catch(() => '')])
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}
