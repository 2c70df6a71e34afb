import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { thresholdsOf } from '../../config/thresholds.ts'
import { KpiError, messageOf } from '../../errors.ts'
import { postgresOptions } from '../../store/client/connection.ts'
import { addStackOption, configure, withErrors } from '../command.ts'

/** Grafana replaces this variable when it reads the file. */
const passwordVariable = 'MARKET_KPI_READER_PASSWORD'

export function registerGrafana(command: Command): void {
  command
    .requiredOption('--out <dir>', 'output folder; files of an earlier export are replaced')
    .option('--prometheus-url <url>', 'address of Prometheus, as seen from Grafana', 'http://127.0.0.1:9090')
    .option('--dashboards-path <dir>', 'path of DIR/dashboards as seen from Grafana, if it differs')
  addStackOption(command, 'reader')
    .addHelpText('after', help)
    .action(withErrors((_flags: unknown, self: Command) => writeFiles(self)))
}

const help = `
Grafana 10 or newer. The files contain no password: Grafana reads ${passwordVariable} from its own environment.

Environment:
  DATABASE_URL or POSTGRES_HOST, …   the database; Grafana always logs in as bi_reader
  thresholds                         the limits at which panels change colour: docs/configuration.md`

async function writeFiles(command: Command): Promise<void> {
  const { config } = configure(command)
  const { out, prometheusUrl, dashboardsPath } = command.opts<{
    out: string
    prometheusUrl: string
    dashboardsPath?: string
  }>()
  // Loaded here because it takes a while, and other commands should not wait for it.
  const { grafanaFiles } = await import('../../export/grafana/grafana-files.ts')
  const files = grafanaFiles({
    thresholds: thresholdsOf(config),
    prometheusUrl: checkedUrl(prometheusUrl),
    postgres: postgresOptions(config),
    passwordVariable,
    dashboardsPath: dashboardsPath ?? resolve(out, 'dashboards'),
  })
  for (const [path, text] of files) {
    const file = join(out, path)
    writeText(file, text)
    process.stdout.write(`${file}\n`)
  }
}

function checkedUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new KpiError('KPI_USAGE', `--prometheus-url ${text}: must be http://HOST:PORT`)
}

function writeText(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } catch (error) {
    throw new KpiError('KPI_USAGE', `${file} cannot be written: ${messageOf(error)}`, { cause: error })
  }
}
