/** The faults of a drill, in the order in which they are tried. */
export const scenarioNames = [
  'broker-frozen',
  'broker-killed',
  'postgres-frozen',
  'postgres-killed',
  'consumer-killed',
  'feed-stopped',
  'topic-deleted',
  'column-dropped',
  'bad-messages',
  'slow-database',
  'pool-exhausted',
  'feed-clock-ahead',
] as const
export type ScenarioName = (typeof scenarioNames)[number]
