/** A configuration of PostgreSQL: the default one of market-kpi, or that with one change. */
export interface DatabaseVariant {
  /** The change, for the table. */
  readonly change: string
  /** Server settings that override the default ones. */
  readonly server?: Readonly<Record<string, string>>
  /** Run by the owner on the empty tables. */
  readonly sql?: string
  /** A reader keeps a transaction open all the time. */
  readonly hasOldReader?: true
}

/** Variants whose speed is compared. */
export const databaseVariants = {
  shipped: { change: 'as shipped' },
  'fillfactor-100': {
    change: 'fillfactor 100, not 70',
    sql: 'ALTER TABLE kpi_market_prices SET (fillfactor = 100)',
  },
  'fillfactor-50': {
    change: 'fillfactor 50, not 70',
    sql: 'ALTER TABLE kpi_market_prices SET (fillfactor = 50)',
  },
  'updated-at-index': {
    change: 'an index on updated_at',
    sql: 'CREATE INDEX ON kpi_market_prices (updated_at)',
  },
  'no-generated-columns': {
    change: 'averages and deviation not stored',
    sql: ['avg_close', 'vwap', 'price_volatility', 'close_stddev']
      .map((column) => `ALTER TABLE kpi_market_prices ALTER COLUMN ${column} DROP EXPRESSION`)
      .join('; '),
  },
  'buffers-128MB': { change: 'shared_buffers 128MB, not 256MB', server: { shared_buffers: '128MB' } },
  'commit-async': { change: 'synchronous_commit off, not on', server: { synchronous_commit: 'off' } },
  'wal-lz4': { change: 'wal_compression lz4, not off', server: { wal_compression: 'lz4' } },
  'wal-pglz': { change: 'wal_compression pglz, not off', server: { wal_compression: 'pglz' } },
  'small-wal': { change: 'max_wal_size 32MB, not 2GB', server: { max_wal_size: '32MB' } },
  'jit-on': { change: 'jit on, not off', server: { jit: 'on' } },
} as const satisfies Record<string, DatabaseVariant>

export type DatabaseVariantName = keyof typeof databaseVariants
export const databaseVariantNames = Object.keys(databaseVariants) as readonly DatabaseVariantName[]

/** Variants whose table growth is measured. It mainly depends on when dead rows are cleaned up. */
export const growthVariants = {
  shipped: { change: 'as shipped' },
  'default-autovacuum': {
    change: "PostgreSQL's own autovacuum settings",
    server: {
      autovacuum_naptime: '1min',
      autovacuum_vacuum_scale_factor: '0.2',
      autovacuum_analyze_scale_factor: '0.1',
      autovacuum_vacuum_cost_limit: '-1',
    },
    sql: `ALTER TABLE kpi_market_prices RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
      ALTER TABLE kpi_consumer_offsets RESET (autovacuum_vacuum_threshold)`,
  },
  'no-autovacuum': { change: 'autovacuum off', server: { autovacuum: 'off' } },
  'fillfactor-100': databaseVariants['fillfactor-100'],
  'fillfactor-50': databaseVariants['fillfactor-50'],
  'updated-at-index': databaseVariants['updated-at-index'],
  'old-reader': { change: 'a reader with one transaction open all the time', hasOldReader: true },
} as const satisfies Record<string, DatabaseVariant>

export type GrowthVariantName = keyof typeof growthVariants
export const growthVariantNames = Object.keys(growthVariants) as readonly GrowthVariantName[]
