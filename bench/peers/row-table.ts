import { type Database, openDatabase, type PostgresOptions } from '../../src/store/client/connection.ts'
import { microsecondsSql } from '../../src/store/client/sql-values.ts'
import { comparedColumnsSql } from '../../src/store/windows/verify-snapshot.ts'
import type { PeerRow } from './compare-rows.ts'

const createTable = `
  CREATE TABLE peer_rows (
    symbol text NOT NULL,
    window_start timestamptz NOT NULL,
    avg_close double precision NOT NULL,
    min_close double precision NOT NULL,
    max_close double precision NOT NULL,
    vwap double precision,
    price_range double precision NOT NULL,
    total_volume double precision NOT NULL,
    message_count bigint NOT NULL,
    PRIMARY KEY (symbol, window_start)
  )`

/** An empty table for a contender, and nothing left to write of the one before. */
export async function preparePeerRows(database: Database): Promise<void> {
  await database.query({ text: 'DROP TABLE IF EXISTS peer_rows' })
  await database.query({ text: createTable })
  await settle(database)
}

/** Writes out what the run before left behind, so that this one does not pay for it. */
export async function settle(database: Database): Promise<void> {
  await database.query({ text: 'CHECKPOINT' })
}

export function readPeerRows(database: Database): Promise<PeerRow[]> {
  return database.query({
    text: `SELECT symbol, ${microsecondsSql('window_start')} AS "startUs", avg_close, min_close, max_close, vwap, price_range,
      total_volume, message_count FROM peer_rows`,
  })
}

/** The columns of market-kpi's own rows, as text. */
export function readOwnRows(database: Database): Promise<Record<string, string | null>[]> {
  return database.query({ text: `SELECT ${comparedColumnsSql} FROM kpi_market_prices` })
}

export async function withDatabase<T>(options: PostgresOptions, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(options, { maxConnections: 1, applicationName: 'market-kpi bench:peers' })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}
