import { Random } from '../../src/feed/simulate/random.ts'
import type { ChaosOptions } from './chaos-options.ts'

/** Two actions on the same one never overlap. */
export type Target =
  | `worker ${number}`
  | 'visitor'
  | 'broker'
  | 'database'
  | 'way to kafka'
  | 'way to postgres'
  | 'topic'
  | 'transactions'
  | 'clock'

export interface Action {
  /** `ROUND.NUMBER` */
  readonly position: string
  readonly kind: Kind
  readonly target: Target
  /** From the start of its round. */
  readonly atMs: number
  readonly forMs: number
  /** For whatever else the action has to choose: it makes its own random numbers of it. */
  readonly seed: string
}

/** Load with faults; then all is mended, the lag has to go to 0, and everything is compared. */
export interface Round {
  readonly number: number
  readonly actions: readonly Action[]
}

interface KindOfAction {
  readonly target: Target | 'any worker' | 'a mortal worker'
  /** How often it comes up, compared with others. */
  readonly weight: number
  readonly shortestMs: number
  readonly longestMs: number
  /** In half of the cases, where the run is long: beyond every timeout that should notice. */
  readonly patientMs?: number
  /** Of one during which nothing works: how long that goes on after its end. */
  readonly outageMs?: number
  /** Needs several brokers. */
  readonly needsCluster?: true
  /** In a round; what it does to the log could not be told from what another one did. */
  readonly mostInRound?: number
}

const kinds = {
  'kill worker': { target: 'a mortal worker', weight: 3, shortestMs: 0, longestMs: 3000 },
  'freeze worker': { target: 'any worker', weight: 2, shortestMs: 1000, longestMs: 12000 },
  'restart worker': { target: 'a mortal worker', weight: 1, shortestMs: 0, longestMs: 6000 },
  'worker visits': { target: 'visitor', weight: 2, shortestMs: 3000, longestMs: 10000 },
  'kill broker': { target: 'broker', weight: 1, shortestMs: 0, longestMs: 3000, outageMs: 8000 },
  'restart broker': { target: 'broker', weight: 1, shortestMs: 0, longestMs: 3000, outageMs: 8000 },
  'freeze broker': { target: 'broker', weight: 1, shortestMs: 1000, longestMs: 6000, outageMs: 2000 },
  'fill broker disk': { target: 'broker', weight: 1, shortestMs: 1000, longestMs: 4000, outageMs: 8000 },
  'restart all brokers': {
    target: 'broker',
    weight: 1,
    shortestMs: 0,
    longestMs: 2000,
    outageMs: 15000,
    needsCluster: true,
  },
  'unclean election': {
    target: 'broker',
    weight: 2,
    shortestMs: 1000,
    longestMs: 6000,
    outageMs: 15000,
    needsCluster: true,
    mostInRound: 1,
  },
  'kill database': { target: 'database', weight: 1, shortestMs: 0, longestMs: 3000, outageMs: 2000 },
  'restart database': { target: 'database', weight: 1, shortestMs: 0, longestMs: 3000, outageMs: 2000 },
  'freeze database': { target: 'database', weight: 1, shortestMs: 1000, longestMs: 6000, outageMs: 2000 },
  'fill database disk': { target: 'database', weight: 1, shortestMs: 1000, longestMs: 4000, outageMs: 2000 },
  'database goes back': { target: 'database', weight: 2, shortestMs: 1000, longestMs: 12000, outageMs: 2000 },
  'too many connections': { target: 'database', weight: 1, shortestMs: 1000, longestMs: 4000, outageMs: 2000 },
  'deadlock, the pipeline loses': { target: 'database', weight: 1, shortestMs: 0, longestMs: 0 },
  'deadlock, the pipeline wins': { target: 'database', weight: 1, shortestMs: 0, longestMs: 0 },
  'cancel statements': { target: 'database', weight: 1, shortestMs: 1000, longestMs: 3000 },
  'hold row locks': { target: 'database', weight: 1, shortestMs: 1000, longestMs: 5000, patientMs: 33000 },
  'terminate sessions': { target: 'database', weight: 2, shortestMs: 0, longestMs: 0 },
  'cut kafka': { target: 'way to kafka', weight: 2, shortestMs: 0, longestMs: 0 },
  'lose answers of kafka': { target: 'way to kafka', weight: 2, shortestMs: 500, longestMs: 3000 },
  'slow kafka': { target: 'way to kafka', weight: 1, shortestMs: 2000, longestMs: 8000 },
  'stall kafka': {
    target: 'way to kafka',
    weight: 1,
    shortestMs: 1000,
    longestMs: 5000,
    patientMs: 35000,
    outageMs: 2000,
  },
  'half-open kafka': {
    target: 'way to kafka',
    weight: 1,
    shortestMs: 1000,
    longestMs: 5000,
    patientMs: 35000,
    outageMs: 2000,
  },
  'cut postgres': { target: 'way to postgres', weight: 2, shortestMs: 0, longestMs: 0 },
  'lose answers of postgres': { target: 'way to postgres', weight: 2, shortestMs: 500, longestMs: 3000 },
  'slow postgres': { target: 'way to postgres', weight: 1, shortestMs: 2000, longestMs: 8000 },
  'stall postgres': {
    target: 'way to postgres',
    weight: 1,
    shortestMs: 1000,
    longestMs: 5000,
    patientMs: 35000,
    outageMs: 2000,
  },
  'half-open postgres': {
    target: 'way to postgres',
    weight: 1,
    shortestMs: 1000,
    longestMs: 5000,
    patientMs: 95000,
    outageMs: 2000,
  },
  'open transaction': { target: 'transactions', weight: 3, shortestMs: 500, longestMs: 12000, patientMs: 45000 },
  'add partition': { target: 'topic', weight: 1, shortestMs: 0, longestMs: 0 },
  'jump clock': { target: 'clock', weight: 1, shortestMs: 0, longestMs: 0 },
} as const satisfies Record<string, KindOfAction>

export type Kind = keyof typeof kinds

const roundMs = 45_000
/** What a round takes in all, by measurement. */
const roundWithQuietPointMs = 55_000
const longestGapMs = 2500
/** Faults that nobody is there to meet find nothing: most outages are left to themselves, but for the very long ones. */
const lonelyShare = 0.75
/** Between the end of an action and the next one on the same target. */
const breatherMs = 1000
const mostPartitionsAdded = 8
/** From so many minutes on, some actions last longer than the longest timeout. */
const patientFromMinutes = 5

/** What the schedule depends on. */
export type PlanOptions = Pick<ChaosOptions, 'seed' | 'minutes' | 'workers' | 'brokers' | 'only'>

/** All of them, whatever a run may choose from. */
export const kindNames = Object.keys(kinds) as Kind[]

/** The whole schedule; the same for the same options. */
export function makePlan(options: PlanOptions): Round[] {
  const planner = new Planner(options)
  const rounds = Math.max(1, Math.round((options.minutes * 60_000) / roundWithQuietPointMs))
  return Array.from({ length: rounds }, (_, index) => planner.round(index + 1))
}

/** One line an action. */
export function planText(rounds: readonly Round[]): string {
  const lines = rounds.flatMap(({ number, actions }) => [
    `round ${number}`,
    ...actions.map(({ position, atMs, ...rest }) => `${position.padStart(6)}  +${seconds(atMs)}  ${actionText(rest)}`),
  ])
  return `${lines.join('\n')}\n`
}

export function actionText({ kind, target, forMs }: Pick<Action, 'kind' | 'target' | 'forMs'>): string {
  const where = target.startsWith('worker') ? ` (${target})` : ''
  return `${kind}${where}${forMs > 0 ? ` for ${seconds(forMs).trim()}` : ''}`
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(5)} s`
}

/** Deals the kinds like cards, so that all of them come up in a few minutes. */
class Planner {
  readonly #options: PlanOptions
  readonly #random: Random
  #deck: Kind[] = []
  #partitionsAdded = 0

  constructor(options: PlanOptions) {
    this.#options = options
    this.#random = new Random(`chaos ${options.seed}`)
  }

  /** Those that the run may have. */
  get #kinds(): Kind[] {
    const { only, brokers } = this.#options
    return kindNames.filter((kind) => {
      const { needsCluster }: KindOfAction = kinds[kind]
      return (only === undefined || only.includes(kind)) && (brokers > 1 || !needsCluster)
    })
  }

  round(number: number): Round {
    const drawn: Omit<Action, 'position' | 'seed'>[] = []
    const freeAtMs = new Map<Target, number>()
    for (let cursorMs = this.#below(longestGapMs); cursorMs < roundMs; cursorMs += this.#below(longestGapMs)) {
      const kind = this.#draw()
      const target = this.#targetOf(kind)
      const atMs = Math.max(cursorMs, freeAtMs.get(target) ?? 0)
      if (atMs >= roundMs) {
        this.#deck.unshift(kind)
        continue
      }
      if (kind === 'add partition' && ++this.#partitionsAdded > mostPartitionsAdded) continue
      const { outageMs = 0, longestMs, mostInRound = Number.POSITIVE_INFINITY }: KindOfAction = kinds[kind]
      if (drawn.filter((action) => action.kind === kind).length >= mostInRound) continue
      const forMs = this.#lengthOf(kind)
      const overMs = atMs + forMs + outageMs
      freeAtMs.set(target, overMs + breatherMs)
      if (this.#random.uniform() < lonelyShare && outageMs > 0 && forMs <= longestMs) cursorMs = overMs
      drawn.push({ kind, target, atMs, forMs })
    }
    const actions = drawn
      .sort((a, b) => a.atMs - b.atMs)
      .map((action, index) => {
        const position = `${number}.${String(index + 1).padStart(2, '0')}`
        return { ...action, position, seed: `${this.#options.seed} ${position}` }
      })
    return { number, actions }
  }

  #draw(): Kind {
    if (this.#deck.length === 0) {
      const cards = this.#kinds.flatMap((kind) =>
        Array.from({ length: kinds[kind].weight }, () => ({ kind, rank: this.#random.uniform() })),
      )
      this.#deck = cards.sort((a, b) => a.rank - b.rank).map(({ kind }) => kind)
    }
    return this.#deck.pop() ?? 'kill worker'
  }

  /** Worker 1 is never killed: what leaks would be seen on it. */
  #targetOf(kind: Kind): Target {
    const { target } = kinds[kind]
    if (target === 'any worker') return `worker ${1 + this.#below(this.#options.workers)}`
    if (target === 'a mortal worker') return `worker ${2 + this.#below(this.#options.workers - 1)}`
    return target
  }

  #lengthOf(kind: Kind): number {
    const { shortestMs, longestMs, patientMs }: KindOfAction = kinds[kind]
    const usual = shortestMs + this.#below(longestMs - shortestMs + 1)
    const isPatient = this.#random.uniform() < 0.5
    return patientMs !== undefined && isPatient && this.#options.minutes >= patientFromMinutes ? patientMs : usual
  }

  #below(n: number): number {
    return this.#random.below(n)
  }
}
