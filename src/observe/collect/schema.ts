import type { Probe } from '../../store/client/probe.ts'
import { knownMigrations, migrationsTable } from '../../store/schema/schema.ts'
import { schemaParts } from '../../store/schema/schema-parts.ts'
import type { HeldState, SchemaState } from '../snapshot.ts'

/** Compares the schema with the migrations: which are applied, and whether everything that they create still exists. */
export async function lookAtSchema(probe: Probe): Promise<SchemaState> {
  const known = knownMigrations()
  const applied = await appliedMigrations(probe)
  const missingMigrations = known.filter((name) => !applied.has(name))
  const columns = await probe.query<{ part: string }>(existingColumns)
  const functions = await probe.query<{ part: string }>(existingFunctions)
  const there = new Set([...columns, ...functions].map(({ part }) => part))
  const missingParts = missingMigrations.length > 0 ? [] : missing(there)
  const hasDefinition = there.has('kpi_definition.topic_id') && there.has('kpi_definition.decimals')
  const [definition] = hasDefinition ? await probe.query<HeldState & { topicId: string }>(held) : []
  return {
    missingMigrations,
    newerMigrations: [...applied].filter((name) => !known.includes(name)),
    missingParts,
    definition: definition ?? null,
  }
}

/** If all columns of a relation are missing, only the relation is named. */
function missing(there: ReadonlySet<string>): string[] {
  return Object.entries(schemaParts.relations)
    .flatMap(([relation, columns]) => {
      const gone = columns.filter((column) => !there.has(`${relation}.${column}`))
      return gone.length === columns.length ? [relation] : gone.map((column) => `${relation}.${column}`)
    })
    .concat(schemaParts.functions.flatMap((name) => (there.has(`${name}()`) ? [] : [`${name}()`])))
}

async function appliedMigrations(probe: Probe): Promise<Set<string>> {
  const [table] = await probe.query<{ isThere: boolean }>(
    `SELECT to_regclass('public.${migrationsTable}') IS NOT NULL AS "isThere"`,
  )
  if (!table?.isThere) return new Set()
  const rows = await probe.query<{ name: string }>(`SELECT name FROM public.${migrationsTable} ORDER BY name`)
  return new Set(rows.map(({ name }) => name))
}

// information_schema is not used because it shows a role only objects that it has privileges on.
const existingColumns = `
  SELECT c.relname || '.' || a.attname AS part
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    AND a.attnum > 0 AND NOT a.attisdropped`

const existingFunctions = `
  SELECT p.proname || '()' AS part FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace`

const held = `
  SELECT topic, topic_id::text AS "topicId", consumer_group AS "group", window_seconds AS "windowSeconds", decimals
  FROM kpi_definition`
