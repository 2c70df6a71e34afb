import {
  AuthenticationError,
  findErrorBy,
  GenericError,
  type MultipleErrors,
  NetworkError,
  protocolErrorsCodesById,
  ResponseError,
  TimeoutError,
} from '#kafka-protocol'
import { certificateProblem, KpiError, messageOf } from '../../errors.ts'

/** The broker's own error code inside a failed response, by name (`NOT_COORDINATOR`); undefined for other failures. */
export function brokerErrorOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof ResponseError)) return undefined
  for (const inner of thrown.errors as { apiId?: string }[]) if (inner.apiId) return inner.apiId
  return undefined
}

/** A broker's numeric error code by name: 6 is `NOT_LEADER_OR_FOLLOWER`. */
export function brokerErrorName(code: number): string {
  return (protocolErrorsCodesById as Record<number, string>)[code] ?? `ERROR_${code}`
}

/** Converts anything thrown by a request to a broker to a KpiError that names the broker. */
export function kafkaError(thrown: unknown, broker: string): KpiError {
  if (thrown instanceof KpiError) return thrown
  const error = thrown as Error
  const name = brokerErrorOf(error)
  if (isRefusedLogin(error) || name === 'SASL_AUTHENTICATION_FAILED') {
    return new KpiError(
      'KPI_KAFKA_AUTH',
      `Kafka at ${broker} refused the login: check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`,
      { cause: error },
    )
  }
  if (name?.endsWith('_AUTHORIZATION_FAILED')) {
    return new KpiError('KPI_KAFKA_AUTH', `Kafka at ${broker} allows this user too little: ${name}`, { cause: error })
  }
  if (name !== undefined) {
    return new KpiError('KPI_KAFKA_REQUEST', `Kafka at ${broker} answered ${name}`, { cause: error })
  }
  const reason = deepest(error)
  const untrusted = certificateProblem(reason)
  const what =
    untrusted === undefined
      ? `does not answer: ${messageOf(reason)}`
      : `shows a certificate that is not trusted (${untrusted}): check KAFKA_SSL_CA`
  return new KpiError('KPI_KAFKA_UNREACHABLE', `Kafka at ${broker} ${what}`, { cause: error })
}

/** True for a lost connection, a refused connection and a request timeout. */
export function isConnectionLoss(thrown: unknown): boolean {
  return thrown instanceof NetworkError || thrown instanceof TimeoutError
}

/** A login that failed because the connection was lost is not a refusal: a broker restart must not end the process. */
function isRefusedLogin(thrown: unknown): boolean {
  const refusal = findInChain(thrown, AuthenticationError.code)
  if (!refusal) return false
  return !findInChain(refusal.cause, NetworkError.code) && !findInChain(refusal.cause, TimeoutError.code)
}

/** Finds the error with this code in the thrown error, its aggregated errors and their causes. */
function findInChain(thrown: unknown, code: string): Error | undefined {
  if (!(thrown instanceof Error)) return undefined
  const found: unknown = GenericError.isGenericError(thrown) ? findErrorBy(thrown as GenericError, 'code', code) : null
  return found instanceof Error ? found : findInChain(thrown.cause, code)
}

function deepest(thrown: unknown): unknown {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  const inner = (thrown as MultipleErrors).errors?.[0]
  if (cause instanceof Error) return deepest(cause)
  if (inner instanceof Error) return deepest(inner)
  return thrown
}
