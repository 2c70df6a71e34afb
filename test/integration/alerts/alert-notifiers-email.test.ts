// E-mail to a real SMTP server: TLS, login, replies, threads.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Notification, Notifier } from '../../../src/alerts/notification.ts'
import { makeNotifiers } from '../../../src/alerts/notifiers/make-notifiers.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { RecordingLog } from '../../recording-log.ts'
import { aNotification, anAlert, resolved } from '../../unit/alerts/notifiers/samples.ts'
import { until } from '../scenes/until.ts'
import { type Certificates, makeCertificates } from '../servers/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'market-kpi-mail-'))
const password = 'pass/word:with@signs'
let certificates: Certificates
let server: SMTPServer | undefined
let connections = 0
const mails: { readonly to: string[]; readonly user: string; readonly isEncrypted: boolean; readonly text: string }[] =
  []

beforeAll(() => {
  certificates = makeCertificates(folder)
})
afterEach(async () => {
  const stopping = server
  server = undefined
  mails.length = 0
  connections = 0
  if (stopping) await new Promise<void>((resolve) => stopping.close(() => resolve()))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A server that wants a login, and keeps what it is given. @returns Its port. */
async function startServer(options: SMTPServerOptions = {}, pair: keyof Certificates = 'server'): Promise<number> {
  const { cert, key } = certificates[pair] as { cert: string; key: string }
  server = new SMTPServer({
    cert: readFileSync(cert),
    key: readFileSync(key),
    closeTimeout: 100,
    onConnect: (_session, callback) => {
      connections += 1
      callback()
    },
    onAuth: (auth, _session, callback) => {
      if (auth.username === 'desk' && auth.password === password) callback(null, { user: auth.username })
      else callback(reply(535, 'authentication failed'))
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        const text = Buffer.concat(chunks).toString('utf8')
        mails.push({ to, user: String(session.user ?? ''), isEncrypted: session.secure, text })
        callback()
      })
    },
    ...options,
  })
  // Clients that break off in the handshake are what is tested.
  server.on('error', () => {})
  const { server: socket } = server
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return (socket.address() as AddressInfo).port
}

function reply(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode })
}

function notifierFor(port: number, env: Record<string, string> = {}, protocol = 'smtp'): Notifier {
  const settings = {
    ALERT_SMTP_URL: `${protocol}://desk:${encodeURIComponent(password)}@localhost:${port}`,
    ALERT_SMTP_CA: certificates.ca,
    ALERT_EMAIL_FROM: 'Market KPI <kpi@example.com>',
    ALERT_EMAIL_TO: 'Desk <desk@example.com>, night@example.com',
    ALERT_TIMEOUT_SECONDS: '5',
    ...env,
  }
  const config = loadConfig({ env: settings, directory: folder })
  const found = makeNotifiers(config, new RecordingLog()).find(({ name }) => name === 'email')
  if (!found) throw new Error('no e-mail was made')
  return found
}

function deliver(
  notifier: Notifier,
  notification: Notification = aNotification(),
  signal = new AbortController().signal,
) {
  return notifier.deliver(notification, signal)
}

/** A header's value, unfolded. */
function header(text: string, name: string): string {
  const head = text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  return new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? ''
}

describe('delivers', () => {
  it.each([
    ['with STARTTLS', 'smtp', {}],
    ['with TLS from the start', 'smtps', { secure: true }],
  ])('%s, logged in, to all', async (_, protocol, options) => {
    const port = await startServer(options)
    expect(await deliver(notifierFor(port, {}, protocol))).toEqual({ outcome: 'delivered' })
    expect(mails).toHaveLength(1)
    const [mail] = mails
    expect(mail).toMatchObject({
      to: ['desk@example.com', 'night@example.com'],
      user: 'desk',
      isEncrypted: true,
    })
    const text = mail?.text ?? ''
    expect(header(text, 'subject')).toBe('[FIRING:1] market-prices: ConsumerStalled')
    expect(header(text, 'from')).toBe('Market KPI <kpi@example.com>')
    expect(header(text, 'to')).toBe('Desk <desk@example.com>, night@example.com')
    expect(header(text, 'auto-submitted')).toBe('auto-generated')
    expect(text).toContain('text/plain')
    expect(text).toContain('text/html')
  })

  it('without TLS only when told so', async () => {
    const port = await startServer({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true })
    expect(await deliver(notifierFor(port))).toMatchObject({ outcome: 'permanent' })
    expect(mails).toEqual([])
    expect(await deliver(notifierFor(port, { ALERT_SMTP_TLS: 'when-offered' }))).toEqual({ outcome: 'delivered' })
    expect(mails).toMatchObject([{ isEncrypted: false }])
  })

  it('RESOLVED into the thread of FIRING, as a message of its own', async () => {
    const port = await startServer()
    const notifier = notifierFor(port)
    await deliver(notifier)
    await deliver(notifier, aNotification({ id: 'another', alerts: [resolved()] }))
    const [first, second] = mails.map(({ text }) => text)
    expect(header(second ?? '', 'subject')).toBe('[RESOLVED:1] market-prices: ConsumerStalled')
    expect(header(first ?? '', 'references')).toMatch(/^<\S+@example\.com>$/)
    expect(header(second ?? '', 'references')).toBe(header(first ?? '', 'references'))
    expect(header(second ?? '', 'in-reply-to')).toBe(header(first ?? '', 'in-reply-to'))
    expect(header(second ?? '', 'message-id')).not.toBe(header(first ?? '', 'message-id'))
  })

  it('the same message id in each attempt', async () => {
    const replies = [reply(451, 'greylisted'), undefined]
    const port = await startServer({ onMailFrom: (_address, _session, callback) => callback(replies.shift()) })
    const notifier = notifierFor(port)
    expect(await deliver(notifier)).toMatchObject({ outcome: 'retryable', reason: expect.stringContaining('451') })
    expect(await deliver(notifier)).toEqual({ outcome: 'delivered' })
    expect(mails.map(({ text }) => header(text, 'message-id'))).toEqual([
      '<5b7f3c1e-0000-4000-8000-000000000001@example.com>',
    ])
  })

  it('to those who are left, when one was refused for a while', async () => {
    const replies = [undefined, reply(450, 'mailbox busy'), undefined]
    const port = await startServer({ onRcptTo: (_address, _session, callback) => callback(replies.shift()) })
    const notifier = notifierFor(port)
    expect(await deliver(notifier)).toMatchObject({
      outcome: 'retryable',
      reason: expect.stringContaining('night@example.com'),
    })
    expect(await deliver(notifier)).toEqual({ outcome: 'delivered' })
    expect(mails.map(({ to }) => to)).toEqual([['desk@example.com'], ['night@example.com']])
  })
})

describe('tells apart', () => {
  it.each<[string, SMTPServerOptions, 'retryable' | 'permanent']>([
    ['a sender who is refused', { onMailFrom: (_a, _s, callback) => callback(reply(550, 'no')) }, 'permanent'],
    ['a sender who may come later', { onMailFrom: (_a, _s, callback) => callback(reply(421, 'busy')) }, 'retryable'],
    ['recipients who are refused', { onRcptTo: (_a, _s, callback) => callback(reply(550, 'unknown')) }, 'permanent'],
    ['recipients who are busy', { onRcptTo: (_a, _s, callback) => callback(reply(452, 'full')) }, 'retryable'],
    ['one recipient who is refused', refusing('night@example.com'), 'permanent'],
    [
      'a message that is refused',
      {
        onData: (stream, _session, callback) => {
          stream.resume()
          stream.on('end', () => callback(reply(554, 'spam')))
        },
      },
      'permanent',
    ],
    ['a server that takes no login', { disabledCommands: ['AUTH'], authOptional: true }, 'permanent'],
    ['a server that is busy', { onConnect: (_session, callback) => callback(reply(421, 'busy')) }, 'retryable'],
  ])('%s', async (_, options, outcome) => {
    const port = await startServer(options)
    expect(await deliver(notifierFor(port))).toMatchObject({
      outcome,
      reason: expect.stringContaining(`localhost:${port}`),
    })
  })

  it('a wrong password, without telling it', async () => {
    const port = await startServer()
    const env = { ALERT_SMTP_URL: `smtp://desk:another-password@localhost:${port}` }
    const delivery = await deliver(notifierFor(port, env))
    expect(delivery).toMatchObject({ outcome: 'permanent', reason: expect.stringContaining('535') })
    expect(JSON.stringify(delivery)).not.toContain('another-password')
    expect(mails).toEqual([])
  })

  it('a certificate of another host, before anything is said', async () => {
    const port = await startServer({ secure: true }, 'elsewhere')
    const delivery = await deliver(notifierFor(port, {}, 'smtps'))
    expect(delivery).toMatchObject({ outcome: 'retryable', reason: expect.stringMatching(/does not match/) })
    expect(mails).toEqual([])
  })

  it('a server that says nothing', async () => {
    const port = await startServer({ onMailFrom: () => {} })
    const delivery = await deliver(notifierFor(port, { ALERT_TIMEOUT_SECONDS: '1' }))
    expect(delivery).toEqual({ outcome: 'retryable', reason: expect.stringContaining('1000 ms') })
  })

  it('being told to stop', async () => {
    const port = await startServer({ onMailFrom: () => {} })
    const stop = new AbortController()
    const delivery = deliver(notifierFor(port), aNotification(), stop.signal)
    await until(
      'connected',
      () => connections,
      (count) => count === 1,
    )
    stop.abort()
    expect(await delivery).toEqual({ outcome: 'retryable', reason: `localhost:${port}: given up` })
  })

  it('a server that is not there', async () => {
    const port = await startServer()
    const notifier = notifierFor(port)
    await new Promise<void>((resolve) => server?.close(() => resolve()))
    server = undefined
    expect(await deliver(notifier)).toEqual({
      outcome: 'retryable',
      reason: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

it('a rule or a summary adds no header and no tag', async () => {
  const port = await startServer()
  const alert = anAlert({ rule: 'Mine\r\nBcc: all@example.com', summary: '<b>x</b>' })
  await deliver(notifierFor(port), aNotification({ alerts: [alert] }))
  const text = mails[0]?.text ?? ''
  expect(header(text, 'bcc')).toBe('')
  expect(mails[0]?.to).toEqual(['desk@example.com', 'night@example.com'])
  const html = text.slice(text.indexOf('<!doctype html>'))
  expect(html).toContain('&#60;b&#62;x&#60;/b&#62;')
  expect(html).not.toContain('<b>x')
})

function refusing(recipient: string): SMTPServerOptions {
  return {
    onRcptTo: ({ address }, _session, callback) => callback(address === recipient ? reply(550, 'unknown') : undefined),
  }
}
