import type pg from 'pg'
import type { ExpectedLetter, Oracle } from './records/oracle.ts'

/** Letters of a stretch of each partition's log, by `PARTITION OFFSET`. */
export type Letters = ReadonlyMap<string, ExpectedLetter>

const mostDifferences = 10

/** Compares the tables with the oracle. @returns The first differences; none when all is as it must be. */
export async function differences(client: pg.Client, oracle: Oracle, newLetters: Letters): Promise<string[]> {
  return [
    ...(await rowDifferences(client, oracle)),
    ...(await positionDifferences(client, oracle)),
    ...(await letterDifferences(client, oracle, newLetters)),
  ].slice(0, mostDifferences)
}

const rowColumns = [
  `(extract(epoch FROM window_end) * 1e6)::bigint`,
  'trade_count',
  ...['sum_close', 'sum_close_sq', 'sum_close_volume', 'total_volume'].map((name) => scaled(name)),
  ...['min_close', 'max_close', 'high_price', 'low_price'].map((name) => scaled(name)),
  `(extract(epoch FROM first_event_at) * 1e6)::bigint`,
  ...['first_partition', 'first_offset', scaled('open_price')],
  `(extract(epoch FROM last_event_at) * 1e6)::bigint`,
  ...['last_partition', 'last_offset', scaled('close_price'), 'late_count'],
]

/** Sums of products have 16 digits behind the point, the others 8. */
function scaled(name: string): string {
  return `(${name} * ${/_sq$|_close_volume$/.test(name) ? '1e16' : '1e8'})::numeric(100, 0)`
}

async function rowDifferences(client: pg.Client, oracle: Oracle): Promise<string[]> {
  const { rows } = await client.query<{ key: string; row: string }>(
    `SELECT concat_ws(' ', symbol, (extract(epoch FROM window_start) * 1e6)::bigint) AS key,
       concat_ws(' ', ${rowColumns.join(', ')}) AS row
     FROM kpi_market_prices`,
  )
  const found = new Map(rows.map(({ key, row }) => [key, row]))
  const wrong: string[] = []
  for (const [key, row] of oracle.rows()) {
    if (found.get(key) !== row) wrong.push(`row ${key}: must be ${row}, is ${found.get(key) ?? 'missing'}`)
    found.delete(key)
  }
  for (const [key, row] of found) wrong.push(`row ${key}: must not be there, is ${row}`)
  return wrong
}

async function positionDifferences(client: pg.Client, oracle: Oracle): Promise<string[]> {
  const { rows } = await client.query<{ partition: number; counts: string }>(
    `SELECT partition, format('first %s next %s merged %s rejected %s without %s lost %s rewound %s watermark %s',
       first_offset, next_offset, merged, rejected, without_message, lost, rewound, watermark_us) AS counts
     FROM kpi_consumer_offsets`,
  )
  const found = new Map(rows.map(({ partition, counts }) => [partition, counts]))
  return [...oracle.partitions.entries()].flatMap(([partition, counts]) => {
    const { nextOffset, merged, rejected, withoutMessage, rewound, watermarkUs } = counts ?? nothing
    const counted = `merged ${merged} rejected ${rejected} without ${withoutMessage}`
    const must = `first 0 next ${nextOffset} ${counted} lost 0 rewound ${rewound} watermark ${watermarkUs}`
    const is = found.get(partition)
    return is === must || (is === undefined && nextOffset === 0)
      ? []
      : [`partition ${partition}: must be ${must}, is ${is}`]
  })
}

const nothing = { nextOffset: 0, merged: 0, rejected: 0, withoutMessage: 0, rewound: 0, watermarkUs: -1n }

interface LetterRow {
  readonly place: string
  readonly reason: string
  readonly payload: Buffer | null
  readonly key: Buffer | null
}

/** All letters are counted; those of the newest stretch are looked at byte by byte. */
async function letterDifferences(client: pg.Client, oracle: Oracle, expected: Letters): Promise<string[]> {
  const wrong: string[] = []
  const kept = oracle.partitions.map((counts) => (counts ? counts.rejected - counts.archived : 0))
  const rejected = kept.reduce((sum, letters) => sum + (letters ?? 0), 0)
  const counted = await client.query<{ n: string }>('SELECT count(*) AS n FROM dead_letters')
  if (Number(counted.rows[0]?.n) !== rejected) {
    wrong.push(`dead_letters: must be ${rejected}, are ${counted.rows[0]?.n}`)
  }
  const places = [...expected.keys()].map((place) => place.split(' '))
  const { rows } = await client.query<LetterRow>(
    `SELECT concat_ws(' ', partition, message_offset) AS place, reason, payload, key
     FROM dead_letters JOIN unnest($1::integer[], $2::bigint[]) AS p(partition, message_offset) USING (partition, message_offset)`,
    [places.map(([partition]) => partition), places.map(([, offset]) => offset)],
  )
  const found = new Map(rows.map((row) => [row.place, row]))
  for (const [place, letter] of expected) {
    const why = letterDifference(found.get(place), letter)
    if (why !== undefined) wrong.push(`letter ${place} (${letter.reason}): ${why}`)
  }
  return wrong
}

const mostPayloadBytes = 64 * 1024

function letterDifference(row: LetterRow | undefined, letter: ExpectedLetter): string | undefined {
  if (row === undefined) return 'is missing'
  if (row.reason !== letter.reason) return `has the reason ${row.reason}`
  if (row.key?.toString() !== letter.key) return `has the key ${row.key}`
  // In a flood the bytes are left out.
  const kept = Buffer.from(letter.value).subarray(0, mostPayloadBytes)
  if (row.payload !== null && !row.payload.equals(kept)) return `has ${row.payload.length} other bytes`
  return undefined
}
