import type { BatchShape } from './partial-batches.ts'
import {
  type DatabaseVariantName,
  databaseVariantNames,
  type GrowthVariantName,
  growthVariantNames,
} from './variants.ts'

export interface NamedShape extends BatchShape {
  readonly name: 'live' | 'wide'
  readonly commits: number
}

/** Windows that are written at a steady number of commits per second. */
export interface GrowthPlan extends BatchShape {
  readonly variants: readonly GrowthVariantName[]
  readonly commitsPerSecond: number
  readonly seconds: number
}

export interface DatabasePlan {
  readonly variants: readonly DatabaseVariantName[]
  readonly shapes: readonly NamedShape[]
  readonly growth: GrowthPlan
  readonly runs: number
}

/** 10,000 messages/s with a commit every 200 ms. */
const liveShape: BatchShape = { symbols: 500, windows: 1, messages: 2000, commitsPerSpan: 200, distinct: 20 }
/** A backlog that is not ordered by time: each batch updates every window. */
const wideShape: BatchShape = { symbols: 500, windows: 67, messages: 100_000, commitsPerSpan: 1000, distinct: 3 }
const growthShape = { ...liveShape, messages: 500 }

const quickVariants: readonly DatabaseVariantName[] = ['shipped', 'fillfactor-100', 'commit-async']
const quickGrowthVariants: readonly GrowthVariantName[] = ['shipped', 'old-reader']

export function databasePlanOf(flags: {
  readonly variants?: readonly DatabaseVariantName[]
  readonly runs: number
  readonly seconds?: number
  readonly quick?: true
}): DatabasePlan {
  const { quick, runs, seconds } = flags
  return {
    variants: flags.variants ?? (quick ? quickVariants : databaseVariantNames),
    shapes: [
      { ...liveShape, name: 'live', commits: quick ? 60 : 220 },
      { ...wideShape, name: 'wide', commits: quick ? 2 : 3, ...(quick ? { messages: 20_000, windows: 13 } : {}) },
    ],
    growth: {
      ...growthShape,
      variants: quick ? quickGrowthVariants : growthVariantNames,
      commitsPerSecond: 20,
      commitsPerSpan: quick ? 20 : 100,
      seconds: seconds ?? (quick ? 4 : 45),
    },
    runs,
  }
}
