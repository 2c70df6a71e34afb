// The checks that `health` and `alerts check` list.

/** The checks of `health`, in the order in which it prints them; the first five are fixed by its documented output. */
export const checkKeys = [
  'kafka:connectivity',
  'kafka:topic',
  'postgres:connectivity',
  'postgres:schema',
  'consumer:lag',
  'kafka:disk',
  'postgres:pool',
  'consumer:throughput',
  'consumer:errors',
  'kpi:freshness',
  'kpi:precision',
  'feed:activity',
] as const
export type CheckKey = (typeof checkKeys)[number]

/** The items of `alerts check`, in the order in which it prints them. */
export const itemNames = [
  'Kafka',
  'Kafka topic',
  'Kafka disk',
  'PostgreSQL',
  'Database schema',
  'Database connections',
  'Data freshness',
  'Consumer lag',
  'Throughput',
  'Error rate',
  'Decimal places',
  'Feed',
  'Workers',
  'Clocks',
] as const
export type ItemName = (typeof itemNames)[number]
