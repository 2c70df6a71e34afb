import { KpiError } from '../../errors.ts'
import { withDeadline } from '../../runtime/abort.ts'
import { type PostgresOptions, placeOf } from '../../store/client/connection.ts'
import { type Probe, withProbe } from '../../store/client/probe.ts'
import {
  type Asked,
  type PipelineSnapshot,
  type PositionsState,
  type Source,
  type Unknown,
  unknown,
} from '../snapshot.ts'
import { sourceOf, unknownFrom } from './answer.ts'
import { lookAtDeadLetters } from './dead-letters.ts'
import { lookAtKpi, lookAtSymbols } from './kpi.ts'
import { lookAtPositions } from './positions.ts'
import { lookAtSchema } from './schema.ts'
import { lookAtServer } from './server.ts'
import { lookAtWorkers } from './workers.ts'

type PostgresSources = PipelineSnapshot['postgres']
type Name = keyof PostgresSources

/**
 * The queries run one after the other on one connection, so that observing puts little load on the database. Cheap and
 * important ones come first, so that a slow database still answers them before the timeout.
 */
const observations: { readonly [N in Name]: (probe: Probe, asked: Asked) => Promise<object> } = {
  server: lookAtServer,
  positions: lookAtPositions,
  workers: lookAtWorkers,
  schema: lookAtSchema,
  deadLetters: lookAtDeadLetters,
  kpi: lookAtKpi,
  symbols: lookAtSymbols,
}

const connectTimeoutMs = 2500
const statementTimeoutMs = 2000

export interface PostgresObservation {
  readonly sources: Promise<PostgresSources>
  /** Available before the other sources. */
  readonly positions: Promise<Source<PositionsState>>
}

/**
 * Reads the state of the database over a new connection. Takes no longer than the timeout, whatever the server does,
 * and throws only our own mistakes.
 */
export function collectPostgres(options: PostgresOptions, asked: Asked, timeoutMs: number): PostgresObservation {
  const { promise: positions, resolve } = Promise.withResolvers<Source<PositionsState>>()
  const seen: Partial<Record<Name, Source<object>>> = {}
  const note = (name: Name, source: Source<object>) => {
    seen[name] = source
    if (name === 'positions') resolve(source as Source<PositionsState>)
  }
  const sources = look(options, asked, timeoutMs, note).then((silence) => {
    const rest = silence ?? unknown('it was not checked')
    for (const name of Object.keys(observations) as Name[]) if (!seen[name]) note(name, rest)
    return seen as PostgresSources
  })
  return { sources, positions }
}

/** @returns Why the remaining sources could not be read; undefined if all were read. */
async function look(
  options: PostgresOptions,
  asked: Asked,
  timeoutMs: number,
  note: (name: Name, source: Source<object>) => void,
): Promise<Unknown | undefined> {
  const silence = `PostgreSQL at ${placeOf(options)} did not answer within ${timeoutMs / 1000} s`
  const error = new KpiError('KPI_POSTGRES_UNREACHABLE', silence)
  const limits = { connectTimeoutMs, statementTimeoutMs, applicationName: 'market-kpi observer' }
  try {
    await withDeadline({ ms: timeoutMs, error }, (signal) =>
      withProbe(options, limits, signal, async (probe) => {
        for (const [name, lookAt] of Object.entries(observations) as [Name, (typeof observations)[Name]][]) {
          const source = await sourceOf(() => lookAt(probe, asked))
          // After the timeout all remaining sources get the same reason, including this one.
          if (signal.aborted) throw signal.reason
          note(name, source)
        }
      }),
    )
    return undefined
  } catch (thrown) {
    return unknownFrom(thrown)
  }
}
