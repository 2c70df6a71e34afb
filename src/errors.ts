/**
 * The closed list of failures a user can meet. Each code stands in docs/errors.md with what to do next; a test ties
 * the two. The world's failures are errors of this class; our own mistakes are assertions that end the process.
 */
export const errorCodes = {
  KPI_CONFIG_INVALID: { retryable: false, exitCode: 2 },
  KPI_USAGE: { retryable: false, exitCode: 2 },
  KPI_JAVA_MISSING: { retryable: false, exitCode: 1 },
  KPI_MAVEN_MISSING: { retryable: false, exitCode: 1 },
  KPI_DOWNLOAD_FAILED: { retryable: false, exitCode: 1 },
  KPI_POSTGRES_BINARIES: { retryable: false, exitCode: 1 },
  KPI_DATA_DIR_UNUSABLE: { retryable: false, exitCode: 1 },
  KPI_DATA_DIR_IN_USE: { retryable: false, exitCode: 1 },
  KPI_STACK_NOT_RUNNING: { retryable: false, exitCode: 1 },
  KPI_DISK_FULL: { retryable: true, exitCode: 1 },
  KPI_PORT_BUSY: { retryable: false, exitCode: 1 },
  KPI_CHILD_FAILED: { retryable: true, exitCode: 1 },
  KPI_KAFKA_UNREACHABLE: { retryable: true, exitCode: 1 },
  KPI_KAFKA_AUTH: { retryable: false, exitCode: 1 },
  KPI_KAFKA_REQUEST: { retryable: true, exitCode: 1 },
  KPI_KAFKA_FENCED: { retryable: false, exitCode: 1 },
  KPI_GROUP_REFUSED: { retryable: false, exitCode: 1 },
  KPI_KAFKA_CORRUPT: { retryable: false, exitCode: 1 },
  KPI_TOPIC_MISSING: { retryable: true, exitCode: 1 },
  KPI_TOPIC_MISMATCH: { retryable: false, exitCode: 1 },
  KPI_TOPIC_RECREATED: { retryable: false, exitCode: 1 },
  KPI_OFFSET_OUT_OF_RANGE: { retryable: false, exitCode: 1 },
  KPI_LOG_DIVERGED: { retryable: false, exitCode: 1 },
  KPI_POSTGRES_UNREACHABLE: { retryable: true, exitCode: 1 },
  KPI_POSTGRES_AUTH: { retryable: false, exitCode: 1 },
  KPI_POSTGRES_POOLED: { retryable: false, exitCode: 1 },
  KPI_POSTGRES_TOO_OLD: { retryable: false, exitCode: 1 },
  KPI_POSTGRES_RIGHTS: { retryable: false, exitCode: 1 },
  KPI_POSTGRES_QUERY: { retryable: false, exitCode: 1 },
  KPI_DATABASE_LOCKED: { retryable: false, exitCode: 1 },
  KPI_DATABASE_MISSING: { retryable: false, exitCode: 1 },
  KPI_SCHEMA_MISSING: { retryable: false, exitCode: 1 },
  KPI_DEFINITION_MISMATCH: { retryable: false, exitCode: 1 },
  KPI_PARTITIONS_NOT_POSSIBLE: { retryable: false, exitCode: 1 },
  KPI_POSITION_MOVED: { retryable: true, exitCode: 1 },
  KPI_FEED_FILE: { retryable: false, exitCode: 1 },
  KPI_LETTER_MISSING: { retryable: false, exitCode: 1 },
  KPI_REBUILD_RUNNING: { retryable: false, exitCode: 1 },
  KPI_REBUILD_REFUSED: { retryable: false, exitCode: 1 },
} as const satisfies Record<string, { retryable: boolean; exitCode: number }>

export type ErrorCode = keyof typeof errorCodes

/** A failure of the world around us, told in one line that says what is wrong and what to do. */
export class KpiError extends Error {
  readonly code: ErrorCode
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean
  /** What a command that ends on this error returns to its shell. */
  readonly exitCode: number

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'KpiError'
    this.code = code
    this.retryable = errorCodes[code].retryable
    this.exitCode = errorCodes[code].exitCode
  }
}

class AssertionFailure extends Error {}

/** A failed assertion is our own mistake: it is never caught, and ends the process with its stack. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new AssertionFailure(`assertion failed: ${what}`)
}

/** Whether this is a mistake in our own code, which may not be taken for a failure of the world and tried again. */
export function isOwnMistake(thrown: unknown): boolean {
  if (thrown instanceof AssertionFailure) return true
  // Those with a code are Node's, about what it was given: an address, a certificate.
  const isPlain = thrown instanceof TypeError || thrown instanceof ReferenceError || thrown instanceof RangeError
  return isPlain && !('code' in thrown)
}

/** OpenSSL's names for what can be wrong with a certificate, and Node's own. */
const certificateCodes = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_|INVALID_CA$|HOSTNAME_MISMATCH$)/

/** Why a server's certificate is not trusted; undefined for any other failure. */
export function certificateProblem(thrown: unknown): string | undefined {
  const { code } = (thrown ?? {}) as { code?: unknown }
  if (typeof code !== 'string' || !certificateCodes.test(code)) return undefined
  // Node goes on with a hint at its own options.
  return messageOf(thrown).split('; ')[0]
}

/** The message of anything thrown, one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return text.replace(/\s*\n\s*/g, ' ')
}
