/** The steps of each operation, in order. */
export const workerSteps = {
  /** A batch is taken, then written to the database, then its offsets are also committed to Kafka. */
  commit: ['taken', 'written', 'mirrored'],
  /** Partitions are assigned, then their positions are read and fetching starts. */
  assignment: ['assigned', 'positioned'],
  /**
   * Partitions are revoked, then pending records are written, then offsets are committed to Kafka and the partitions
   * are handed over.
   */
  revocation: ['revoked', 'revoked-written', 'revoked-mirrored'],
  /**
   * Fetching ends, then pending records are written, then offsets are committed to Kafka, then the worker leaves the
   * group.
   */
  shutdown: ['stopping', 'stopping-written', 'stopping-mirrored', 'left'],
} as const
export type WorkerStep = (typeof workerSteps)[keyof typeof workerSteps][number]
