import { messageOf } from '../../errors.ts'
import type { Delivery } from '../notification.ts'

/** The address that requests are posted to. It is a secret: only its host appears in messages. */
export interface Endpoint {
  readonly url: string
  readonly timeoutMs: number
  /** Texts that must not appear in a failure reason, such as a key in the request body. */
  readonly secrets?: readonly string[]
}

/**
 * Whether the same request may succeed later: after a redirect (a login or maintenance page in front of the receiver
 * may send it temporarily), a timeout (408), a request too early (425), too many requests (429), or a server error.
 */
const isRetryable = (status: number) => isRedirect(status) || [408, 425, 429].includes(status) || status >= 500
const isRedirect = (status: number) => status >= 300 && status < 400

/** The maximum length of the response that is read: it is used only for the failure reason. */
const maxAnswerBytes = 4096
const maxReasonLength = 200
/** The longest `Retry-After` that is respected: one hour. */
const maxRetryAfterMs = 3_600_000

/**
 * Posts JSON. A response of 2xx counts as delivered. A redirect is never followed, not even on the same host: it would
 * send alerts and secrets to an address that is not configured. The request is sent again later, to the configured
 * address.
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

/** `fetch` refuses credentials in a URL, so they are sent in the `Authorization` header. */
function splitCredentials(url: string): { address: URL; authorization: Record<string, string> } {
  const address = new URL(url)
  const { username, password } = address
  if (username === '' && password === '') return { address, authorization: {} }
  address.username = ''
  address.password = ''
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { address, authorization: { authorization: `Basic ${Buffer.from(plain).toString('base64')}` } }
}

/** The parts of a URL that a server might repeat in its response: everything except the host. */
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

/** The server's response in one line, without secrets. Empty for a web page, which is of no use in a log. */
function readable(text: string, secrets: readonly string[]): string {
  if (/^\s*</.test(text)) return ''
  const hidden = secrets
    .filter((secret) => secret.length > 3)
    .reduce((shown, secret) => shown.replaceAll(secret, '(hidden)'), text)
  const line = hidden.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength)}…` : line
}

/** Parses `Retry-After` in seconds or as a date (RFC 9110); undefined if it is neither. */
function retryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isNaN(waitMs) ? undefined : Math.min(maxRetryAfterMs, Math.max(0, waitMs))
}

/** The message of `fetch` is only "fetch failed"; its cause has the reason. */
function connectionProblem(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const { code } = (cause ?? {}) as { code?: unknown }
  const message = messageOf(cause)
  return message === '' && typeof code === 'string' ? code : message
}
