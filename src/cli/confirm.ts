import { createInterface } from 'node:readline/promises'
import { KpiError } from '../errors.ts'

/**
 * Asks before something is written.
 *
 * @throws KpiError `KPI_USAGE` where nobody can answer.
 */
export async function isConfirmed(command: string, question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new KpiError('KPI_USAGE', `${command} asks before it writes: answer with --yes`)
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} [y/N] `)
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}
