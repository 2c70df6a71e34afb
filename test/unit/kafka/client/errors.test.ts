import { describe, expect, it } from 'vitest'
import { AuthenticationError, NetworkError, ResponseError, TimeoutError, UserError } from '#kafka-protocol'
import { KpiError } from '../../../../src/errors.ts'
import { brokerErrorName, brokerErrorOf, isConnectionLoss, kafkaError } from '../../../../src/kafka/client/errors.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
const lost = new NetworkError('Connection to h:1 failed.', { cause: refused })

function answer(code: number): ResponseError {
  return new ResponseError(1, 0, { '/errorCode': [code, null] }, {})
}

describe('kafkaError', () => {
  it.each([
    ['a refused connection', lost, 'KPI_KAFKA_UNREACHABLE', /h:1 does not answer: connect ECONNREFUSED/],
    ['no answer in time', new TimeoutError('Request timed out'), 'KPI_KAFKA_UNREACHABLE', /does not answer: Request/],
    [
      'a broker without TLS',
      new NetworkError('x', { cause: new UserError('TLS handshake failed.') }),
      'KPI_KAFKA_UNREACHABLE',
      /TLS/,
    ],
    [
      'a refused login',
      new NetworkError('x', { cause: new AuthenticationError('SASL authentication failed.', { cause: answer(58) }) }),
      'KPI_KAFKA_AUTH',
      /refused the login: check KAFKA_SASL/,
    ],
    [
      'an unknown mechanism',
      new NetworkError('x', {
        cause: new AuthenticationError('Cannot find a suitable SASL mechanism.', { cause: answer(33) }),
      }),
      'KPI_KAFKA_AUTH',
      /refused the login/,
    ],
    ['a refused login, bare', answer(58), 'KPI_KAFKA_AUTH', /refused the login/],
    ['too few rights', answer(29), 'KPI_KAFKA_AUTH', /allows this user too little: TOPIC_AUTHORIZATION_FAILED/],
    ['an error of the broker', answer(6), 'KPI_KAFKA_REQUEST', /answered NOT_LEADER_OR_FOLLOWER/],
    ['anything else', 'nonsense', 'KPI_KAFKA_UNREACHABLE', /nonsense/],
  ])('tells %s', (_what, thrown, code, message) => {
    const error = kafkaError(thrown, 'h:1')
    expect(error).toMatchObject({ code, cause: thrown })
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('\n')
  })

  it('does not call a login refused that broke off with its connection', () => {
    const brokeOff = new AuthenticationError('Cannot find a suitable SASL mechanism.', {
      cause: new NetworkError('Connection closed'),
    })
    for (const cause of [brokeOff, new AuthenticationError('x', { cause: new TimeoutError('Request timed out') })]) {
      expect(kafkaError(new NetworkError('x', { cause }), 'h:1')).toMatchObject({
        code: 'KPI_KAFKA_UNREACHABLE',
        retryable: true,
      })
    }
  })

  it('leaves our own errors as they are', () => {
    const own = new KpiError('KPI_TOPIC_MISSING', 'no topic')
    expect(kafkaError(own, 'h:1')).toBe(own)
  })
})

it('names the broker’s errors', () => {
  expect(brokerErrorOf(answer(6))).toBe('NOT_LEADER_OR_FOLLOWER')
  expect(brokerErrorOf(lost)).toBeUndefined()
  expect(brokerErrorName(1)).toBe('OFFSET_OUT_OF_RANGE')
  expect(brokerErrorName(999)).toBe('ERROR_999')
})

it('knows a lost connection', () => {
  expect([lost, new TimeoutError('x')].every(isConnectionLoss)).toBe(true)
  expect([answer(6), new Error('x'), 'x'].some(isConnectionLoss)).toBe(false)
})
