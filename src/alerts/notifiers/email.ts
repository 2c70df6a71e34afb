import { createTransport } from 'nodemailer'
import { messageOf } from '../../errors.ts'
import type { Delivery, Notification, Notifier } from '../notification.ts'
import { DeliveredParts } from './delivered-parts.ts'
import { emailContent } from './email-content.ts'

export interface EmailOptions {
  /** `smtp://` or `smtps://`, with percent-encoded credentials. A secret: only its host appears in messages. */
  readonly url: string
  /** Whether e-mail is sent only over TLS. */
  readonly isTlsRequired: boolean
  /** Certificates to trust, in PEM. @defaultValue those of the system */
  readonly ca?: string
  readonly from: string
  readonly to: readonly string[]
  readonly timeoutMs: number
}

/**
 * Sends one e-mail to all recipients, over a new connection: alerts are rare, and the server would close an idle
 * connection.
 */
export function emailNotifier(options: EmailOptions): Notifier {
  const parts = new DeliveredParts()
  const address = new URL(options.url)
  const host = address.host
  const password = decodeURIComponent(address.password)
  return {
    name: 'email',
    isForMachines: false,
    deliver: async (notification, signal) => {
      const done = parts.of(notification)
      const left = options.to.filter((recipient) => !done.has(recipient))
      const tooLate = AbortSignal.timeout(options.timeoutMs)
      try {
        const refused = await send(options, {
          notification,
          recipients: left,
          signal: AbortSignal.any([signal, tooLate]),
        })
        for (const recipient of left) if (!refused.has(bareAddress(recipient))) done.add(recipient)
        return partlyRefused(host, refused)
      } catch (error) {
        if (signal.aborted) return { outcome: 'retryable', reason: `${host}: given up` }
        if (tooLate.aborted)
          return { outcome: 'retryable', reason: `${host} was not done within ${options.timeoutMs} ms` }
        return failure(host, error, password)
      }
    },
    close: async () => {},
  }
}

/** @returns The recipients that the server refused while it accepted the others, each with the reply code. */
async function send(
  options: EmailOptions,
  { notification, recipients, signal }: { notification: Notification; recipients: string[]; signal: AbortSignal },
): Promise<Map<string, number | undefined>> {
  const { from, to } = options
  const transport = createTransport(transportOptions(options))
  try {
    const envelope = { from: bareAddress(from), to: recipients.map(bareAddress) }
    const content = emailContent(notification, bareAddress(from).split('@').at(-1) ?? 'localhost')
    const info = await transport.sendMail({ ...content, from, to: [...to], envelope, signal })
    const refusals = info.rejectedErrors ?? []
    return new Map(
      info.rejected.map((recipient) => [
        String(recipient),
        refusals.find((refusal) => refusal.recipient === recipient)?.responseCode,
      ]),
    )
  } finally {
    transport.close()
  }
}

function transportOptions({ url, isTlsRequired, ca, timeoutMs }: EmailOptions) {
  const { protocol, hostname, port, username, password } = new URL(url)
  const isSecure = protocol === 'smtps:'
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 465 : 587) : Number(port),
    secure: isSecure,
    requireTLS: isTlsRequired && !isSecure,
    tls: { minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) },
    // Without `forceAuth`, the message would be sent without login to a server that offers none.
    ...(username === ''
      ? {}
      : { forceAuth: true, auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** `desk@example.com` of `The desk <desk@example.com>`. */
function bareAddress(mailbox: string): string {
  return /<(.+)>$/.exec(mailbox)?.[1] ?? mailbox
}

function partlyRefused(host: string, refused: ReadonlyMap<string, number | undefined>): Delivery {
  if (refused.size === 0) return { outcome: 'delivered' }
  const isLater = [...refused.values()].some((code) => code !== undefined && code < 500)
  const reason = `${host} refused ${refused.size} of the recipients: ${[...refused.keys()].slice(0, 3).join(', ')}`
  return { outcome: isLater ? 'retryable' : 'permanent', reason }
}

/** Errors without a reply code that another attempt cannot solve: credentials, addresses, the message itself. */
const permanentCodes = ['EAUTH', 'ENOAUTH', 'EENVELOPE', 'EMESSAGE', 'ECONFIG', 'EMAXRECIPIENTS']

/** SMTP reply codes 4yz are temporary, 5yz are permanent. Without a reply code it was usually the network. */
function failure(host: string, error: unknown, password: string): Delivery {
  const { responseCode, code } = error as { responseCode?: number; code?: string }
  const said = messageOf(error).slice(0, 200)
  const reason = `${host}: ${password === '' ? said : said.replaceAll(password, '(hidden)')}`
  const isPermanent = responseCode === undefined ? permanentCodes.includes(code ?? '') : responseCode >= 500
  return { outcome: isPermanent ? 'permanent' : 'retryable', reason }
}
