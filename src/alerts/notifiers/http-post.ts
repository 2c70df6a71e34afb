import { messageOf } from '../../errors.ts'
import type { Delivery } from '../notification.ts'

/** Where something is posted. The address is a secret: only its host is ever told. */
export interface Endpoint {
  readonly url: string
  readonly timeoutMs: number
  /** Texts that may stand in no reason: a key that is part of what is sent. */
  readonly secrets?: readonly string[]
}

/**
 * A request that may succeed later as it is: a redirect, which a login page or a page for maintenance in front of the
 * receiver sends and takes back, a timeout, a request too early, too many, or a server in trouble.
 */
const isRetryable = (status: number) => isRedirect(status) || [408, 425, 429].includes(status) || status >= 500
const isRedirect = (status: number) => status >= 300 && status < 400

/** More of an answer is not read: it only says why. */
const maxAnswerBytes = 4096
const maxReasonLength = 200
/** No receiver may keep an alert waiting for longer. */
const maxRetryAfterMs = 3_600_000

/**
 * Posts JSON and judges the answer: 2xx is delivered. A redirect is never followed, not even on the same host: it would
 * take alerts and secrets to an address that nobody configured. It is sent again later, to the configured address.
 */
export async function postJson(
  endpoint: Endpoint,
  request: { body: string; headers?: Readonly<Record<string, string>>; signal: AbortSignal; nowMs: () => number },
): Promise<Delivery> {
  const { address, authorization } = splitCredentials(endpoint.url)
  const host = address.host
  const tooLate = AbortSignal.timeout(endpoint.timeoutMs)
  try {
    const response = await fetch(address, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([request.signal, tooLate]),
      headers: { 'content-type': 'application/json', 'user-agent': 'market-kpi', ...authorization, ...request.headers },
      body: request.body,
    })
    const text = await beginningOf(response)
    if (response.ok) return { outcome: 'delivered' }
    const words = readable(text, [...secretPartsOf(endpoint.url), ...(endpoint.secrets ?? [])])
    const reason = `${host} answered ${response.status}${words === '' ? '' : `: ${words}`}`
    if (!isRetryable(response.status)) return { outcome: 'permanent', reason }
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), request.nowMs())
    return { outcome: 'retryable', reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  } catch (error) {
    if (request.signal.aborted) return { outcome: 'retryable', reason: `${host}: given up` }
    if (tooLate.aborted)
      return { outcome: 'retryable', reason: `${host} did not answer within ${endpoint.timeoutMs} ms` }
    return { outcome: 'retryable', reason: `${host}: ${connectionProblem(error)}` }
  }
}

/** fetch refuses credentials in an address; servers behind a password want them as a header. */
function splitCredentials(url: string): { address: URL; authorization: Record<string, string> } {
  const address = new URL(url)
  const { username, password } = address
  if (username === '' && password === '') return { address, authorization: {} }
  address.username = ''
  address.password = ''
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { address, authorization: { authorization: `Basic ${Buffer.from(plain).toString('base64')}` } }
}

/** What a server might repeat of an address: all of it but the host. */
function secretPartsOf(url: string): string[] {
  const { username, password, pathname, search } = new URL(url)
  const credentials = [username, password].flatMap((text) => [text, decodeURIComponent(text)])
  return [url, pathname + search, pathname, search, ...credentials]
}

async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    bytes += chunk.byteLength
    if (bytes >= maxAnswerBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8')
}

/** A server's own words in one line, without what it must not repeat. A web page says nothing to a reader of logs. */
function readable(text: string, secrets: readonly string[]): string {
  if (/^\s*</.test(text)) return ''
  const hidden = secrets
    .filter((secret) => secret.length > 3)
    .reduce((shown, secret) => shown.replaceAll(secret, '(hidden)'), text)
  const line = hidden.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength)}…` : line
}

/** In seconds or as a date, as RFC 9110 has it; undefined where it is neither. */
function retryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isNaN(waitMs) ? undefined : Math.min(maxRetryAfterMs, Math.max(0, waitMs))
}

/** fetch says "fetch failed"; its cause says why. */
function connectionProblem(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const { code } = (cause ?? {}) as { code?: unknown }
  const message = messageOf(cause)
  return message === '' && typeof code === 'string' ? code : message
}
