import type { Command } from 'commander'
import { registerConfigSchema } from './export/config-schema.ts'
import { registerGrafana } from './export/grafana.ts'
import { registerPrometheusRules } from './export/prometheus-rules.ts'

export function register(program: Command): void {
  const parent = program
    .command('export')
    .description('write files for other tools: Prometheus rules, Grafana dashboards, JSON schema of market-kpi.yaml')
    .addHelpText('after', '\nEvery subcommand accepts --help, --log-level <level> and --log-format <format>.')
  registerPrometheusRules(parent)
  registerGrafana(parent)
  registerConfigSchema(parent)
}
