import { resolve } from 'node:path'
import { defaultDataDir } from './data-dir.ts'

/** A row of the table: one part that runs. */
export interface ReportRow {
  readonly what: string
  readonly where: string
  readonly note: string
}

export interface ReadyReport {
  readonly rows: readonly ReportRow[]
  readonly dataDir: string
  /** Whether the read-only role can be used. */
  readonly hasReader: boolean
  readonly elapsedMs: number
}

/** What `up` prints when the stack runs: all addresses, and commands to try next. */
export function readyReport(report: ReadyReport): string[] {
  const data: ReportRow = { what: 'data', where: report.dataDir, note: 'logs in logs/, addresses in endpoints.json' }
  return ['', ...table([...report.rows, data]), '', ...tryNext(report), '', readyLine(report)]
}

function table(rows: readonly ReportRow[]): string[] {
  const whatWidth = Math.max(...rows.map(({ what }) => what.length))
  const whereWidth = Math.max(...rows.map(({ where }) => where.length))
  return rows.map(({ what, where, note }) =>
    `  ${what.padEnd(whatWidth)}  ${where.padEnd(whereWidth)}  ${note}`.trimEnd(),
  )
}

function tryNext({ dataDir, hasReader }: ReadyReport): string[] {
  const select = 'SELECT symbol, window_start, avg_close, vwap, trade_count FROM kpi_windows ORDER BY 2 DESC LIMIT 10'
  const look = `(. ${shellWord(`${dataDir}/env`)}; psql "$READER_DATABASE_URL" -c '${select}')`
  // The option is not needed for the default directory.
  const where = resolve(defaultDataDir) === dataDir ? '' : ` --data-dir ${shellWord(dataDir)}`
  return [
    '  try next, in another terminal',
    ...(hasReader ? [`    the rows      ${look}`] : []),
    `    watch it      npx market-kpi monitor${where}`,
    `    check them    npx market-kpi verify${where}`,
    `    more workers  npx market-kpi consume --workers 2${where}`,
    `    stop          Ctrl-C here, or npx market-kpi down${where}`,
  ]
}

function readyLine({ rows, elapsedMs }: ReadyReport): string {
  return `ready after ${(elapsedMs / 1000).toFixed(1)} s: ${rows.map(({ what }) => what).join(', ')}`
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
