export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [atSeconds: number, value: string]
}

export interface Target {
  readonly scrapeUrl: string
  /** `unknown` until it was scraped, then `up` or `down`. */
  readonly health: string
  readonly lastError: string
}

export interface Rule {
  readonly name: string
  readonly state: string
  /** `unknown` until it was evaluated, then `ok` or `err`. */
  readonly health: string
  readonly lastError?: string
}

/** What a running Prometheus answers. */
export class PrometheusApi {
  /** `http://HOST:PORT` */
  url: string

  constructor(url: string) {
    this.url = url
  }

  /** @throws With Prometheus' own words, for a query that it does not understand. */
  async query(expr: string): Promise<Series[]> {
    const answer = await this.#get<{ result: Series[] }>(`query?query=${encodeURIComponent(expr)}`)
    return answer.result
  }

  async rules(): Promise<Rule[]> {
    const { groups } = await this.#get<{ groups: { rules: Rule[] }[] }>('rules')
    return groups.flatMap(({ rules }) => rules)
  }

  async targets(): Promise<Target[]> {
    const { activeTargets } = await this.#get<{ activeTargets: Target[] }>('targets')
    return activeTargets
  }

  /** Why a target cannot be scraped; empty for those that can. */
  async scrapeErrors(): Promise<string[]> {
    return (await this.targets()).map(({ health, lastError }) => (health === 'up' ? '' : lastError || health))
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${path}`)
    const body = (await answer.json()) as { status: string; error?: string; data: T }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }
}
