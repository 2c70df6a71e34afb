import { type Config, loadConfig } from '../../../src/config/load.ts'
import { type RebuildOptions, type RebuildReport, rebuild } from '../../../src/rebuild/rebuild.ts'
import { definitionOf } from '../../../src/services/definition.ts'
import { postgresOptions } from '../../../src/store/client/connection.ts'
import type { Pipeline } from './pipeline.ts'

type Options = Pick<RebuildOptions, 'scope' | 'isDryRun' | 'maxShown' | 'onStep'>

/** Rebuilds a test's pipeline in this process, as the pipeline's role. */
export async function rebuildPipeline(pipeline: Pipeline, options: Partial<Options> = {}): Promise<RebuildReport> {
  const { cluster, metadata, config } = pipeline
  return rebuild({
    cluster,
    metadata,
    postgres: postgresOptions(config),
    definition: definitionOf(config, metadata),
    scope: 'all',
    isDryRun: false,
    maxPayloads: 1000,
    now: Date.now,
    ...options,
  })
}

/** The same topic and database under other settings. */
export function withSettings(pipeline: Pipeline, settings: Record<string, string>): Pipeline {
  const env = { ...pipeline.env, ...settings }
  const config: Config = loadConfig({ env })
  return { ...pipeline, env, config }
}
