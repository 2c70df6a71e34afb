import type { Command } from 'commander'
import { configSchema } from '../../export/config-schema.ts'
import { withErrors } from '../command.ts'

export function registerConfigSchema(command: Command): void {
  command.addHelpText('after', help).action(
    withErrors(async () => {
      process.stdout.write(`${JSON.stringify(configSchema(), null, 2)}\n`)
    }),
  )
}

const help = `
  market-kpi export config-schema > market-kpi.schema.json

An editor with a YAML language server reads it from the first line of market-kpi.yaml:

  # yaml-language-server: $schema=market-kpi.schema.json`
