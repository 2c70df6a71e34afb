import { join } from 'node:path'

/**
 * The file that starts the command line, for commands that start others. The path is the same in a clone and in the
 * package.
 */
export const cliEntry = join(import.meta.dirname, '..', '..', 'bin', 'market-kpi.js')
