import pg from 'pg'

/** There may be none while the broker is away. */
const commitLimitMs = 15_000

/** What other users of a database do to a pipeline. `log` gets what came of it. */
export class DatabaseSessions {
  readonly #ownerUrl: () => string
  readonly #pipelineUrl: () => string
  readonly #pause: (ms: number) => Promise<void>

  /**
   * @param urls - Addresses of the server itself, not through any proxy.
   * @param pause - Ends early when the run does.
   */
  constructor(urls: { owner: () => string; pipeline: () => string }, pause: (ms: number) => Promise<void>) {
    this.#pause = pause
    this.#ownerUrl = urls.owner
    this.#pipelineUrl = urls.pipeline
  }

  /** How far a partition was counted. */
  position(partition: number): Promise<number> {
    return this.#asOwner(async (client) => {
      const { rows } = await client.query<{ next: string }>(
        'SELECT next_offset AS next FROM kpi_consumer_offsets WHERE partition = $1',
        [partition],
      )
      return Number(rows[0]?.next ?? 0)
    })
  }

  /** Ends all sessions of the pipeline. */
  terminate(): Promise<string> {
    return this.#asOwner(async (client) => {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bi_user'`,
      )
      return `${rowCount} sessions`
    })
  }

  /** Takes every connection the pipeline's role can get, those that it had too. */
  async hog(forMs: number): Promise<string> {
    const clients: pg.Client[] = []
    const until = performance.now() + forMs
    let refused = 0
    await this.terminate()
    while (performance.now() < until) {
      const client = new pg.Client({ connectionString: this.#pipelineUrl(), connectionTimeoutMillis: 5000 })
      client.on('error', () => undefined)
      try {
        await client.connect()
        clients.push(client)
      } catch {
        refused += 1
        await this.#pause(50)
      }
    }
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
    return `${clients.length} taken, ${refused} times too many`
  }

  /** Holds the locks of rows that the pipeline wants. */
  holdLocks(forMs: number): Promise<string> {
    return this.#holding(async () => {
      await this.#pause(forMs)
      return 'let go'
    })
  }

  /** Cancels commits that wait for a row, from the first one on: to them it is as a statement timeout. */
  cancel(forMs: number): Promise<string> {
    return this.#holding(async (holder) => {
      if (!(await this.#someCommitWaits(await pidOf(holder)))) return 'no commit came'
      return this.#asOwner(async (client) => {
        let cancelled = 0
        for (const until = performance.now() + forMs; performance.now() < until; await this.#pause(100)) {
          const { rowCount } = await client.query(`SELECT pg_cancel_backend(pid) FROM (${waitingCommits}) AS w`, [
            await pidOf(holder),
          ])
          cancelled += rowCount ?? 0
        }
        return `${cancelled} statements`
      })
    })
  }

  /** Asks for a position that a waiting commit has locked, which waits for a row that we have locked. */
  deadlock(loser: 'the pipeline' | 'we'): Promise<string> {
    return this.#holding(async (holder) => {
      // Whoever looks first, loses: the pipeline does after the usual second.
      await holder.query(
        `SET LOCAL deadlock_timeout = '${loser === 'we' ? '10ms' : '30s'}'; SET LOCAL lock_timeout = '5s'`,
      )
      if (!(await this.#someCommitWaits(await pidOf(holder)))) return 'no commit came'
      try {
        await holder.query('SELECT FROM kpi_consumer_offsets ORDER BY partition FOR UPDATE')
        return 'we got all locks'
      } catch (error) {
        if (error instanceof pg.DatabaseError) return `we were refused: ${error.message}`
        throw error
      }
    })
  }

  #someCommitWaits(holder: number): Promise<boolean> {
    return this.#asOwner(async (client) => {
      for (const until = performance.now() + commitLimitMs; performance.now() < until; await this.#pause(20)) {
        const { rowCount } = await client.query(`${waitingCommits} AND ${isFresh}`, [holder])
        if (rowCount) return true
      }
      return false
    })
  }

  #holding(work: (holder: pg.Client) => Promise<string>): Promise<string> {
    return this.#asOwner(async (holder) => {
      await holder.query('BEGIN')
      await holder.query(`SELECT FROM kpi_market_prices
        WHERE window_start > (SELECT max(window_start) FROM kpi_market_prices) - interval '3 hours'
        ORDER BY symbol COLLATE "C", window_start FOR UPDATE`)
      try {
        return await work(holder)
      } finally {
        await holder.query('ROLLBACK')
      }
    })
  }

  async #asOwner<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.#ownerUrl(), connectionTimeoutMillis: 10_000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

const waitingCommits = `
  SELECT pid FROM pg_stat_activity
  WHERE usename = 'bi_user' AND query LIKE '%kpi_commit%' AND $1::integer = ANY (pg_blocking_pids(pid))`

/** A session looks for a deadlock once, a second after it began to wait; it has to be there by then. */
const isFresh = `clock_timestamp() - query_start < interval '0.5 s'`

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return rows[0]?.pid ?? -1
}
