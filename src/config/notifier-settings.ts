import { choice, optionalText, type Setting, whole } from './setting.ts'

/** A receiver that may stand in the same network. */
const httpUrl = /^https?:\/\/[^\s/?#,]+[^\s,]*$/
/** What carries a secret over the internet goes encrypted; on this machine it need not. */
const safeUrl = /^(https:\/\/[^\s/?#,]+|http:\/\/(localhost|127\.0\.0\.1)(:\d{1,5})?(?=[/?#]|$))[^\s,]*$/
const address = /[^\s,;<>@]+@[^\s,;<>@]+/.source
/** `desk@example.com` or `The desk <desk@example.com>`. */
const mailbox = `(${address}|[^\\s,;<>@][^,;<>@]*<${address}>)`
const aboutSafeUrl = 'an https:// address (http:// only on localhost)'

function safeAddress(env: string, description: string) {
  return optionalText({ env, pattern: safeUrl, allowed: aboutSafeUrl, secret: true, description })
}

/** Who is told of alerts, and how. Addresses of webhooks are secrets: whoever knows one may write there. */
export const notifierSettings = {
  alertWebhookUrl: optionalText({
    env: 'ALERT_WEBHOOK_URL',
    pattern: httpUrl,
    allowed: 'an http:// or https:// address',
    secret: true,
    description: 'alerts are sent there as JSON: docs/alerts/README.md',
  }),
  alertWebhookSecret: optionalText({
    env: 'ALERT_WEBHOOK_SECRET',
    pattern: /^.{16,}$/,
    allowed: 'text of 16 characters or more',
    secret: true,
    description: 'signs what is sent to ALERT_WEBHOOK_URL',
  }),
  alertSlackWebhookUrl: safeAddress('ALERT_SLACK_WEBHOOK_URL', 'an incoming webhook of Slack'),
  alertTeamsWebhookUrl: safeAddress('ALERT_TEAMS_WEBHOOK_URL', 'a Workflows webhook of Microsoft Teams'),
  alertSmtpUrl: optionalText({
    env: 'ALERT_SMTP_URL',
    pattern: /^smtps?:\/\/([^\s/@]*@)?[^\s/@:?#]+(:\d{1,5})?\/?$/,
    allowed: 'smtps://USER:PASSWORD@HOST:465 or smtp://USER:PASSWORD@HOST:587, percent-encoded',
    secret: true,
    description: 'the server that takes e-mail; smtp:// begins plain and goes on with STARTTLS',
  }),
  alertSmtpTls: choice({
    env: 'ALERT_SMTP_TLS',
    of: ['required', 'when-offered'],
    default: 'required',
    description: 'whether an smtp:// server that offers no STARTTLS gets e-mail, and the password, all the same',
  }),
  alertSmtpCa: optionalText({
    env: 'ALERT_SMTP_CA',
    allowed: 'a PEM file',
    description: "certificates to trust when sending e-mail; the system's when not set",
  }),
  alertEmailFrom: optionalText({
    env: 'ALERT_EMAIL_FROM',
    pattern: new RegExp(`^${mailbox}$`),
    allowed: 'an address, or NAME <ADDRESS>',
    description: 'whom e-mail comes from',
  }),
  alertEmailTo: optionalText({
    env: 'ALERT_EMAIL_TO',
    pattern: new RegExp(`^${mailbox}(\\s*,\\s*${mailbox})*$`),
    allowed: 'addresses separated by commas',
    description: 'who gets e-mail',
  }),
  alertAlertmanagerUrls: optionalText({
    env: 'ALERT_ALERTMANAGER_URLS',
    pattern: /^https?:\/\/[^\s/?#,]+[^\s,?#]*(,\s*https?:\/\/[^\s/?#,]+[^\s,?#]*)*$/,
    allowed: 'http:// or https:// addresses separated by commas, without /api/v2',
    secret: true,
    description: 'Alertmanagers that get every alert, each of them',
  }),
  alertPagerdutyRoutingKey: optionalText({
    env: 'ALERT_PAGERDUTY_ROUTING_KEY',
    pattern: /^[A-Za-z0-9]{32}$/,
    allowed: 'the 32 letters and digits of an Events API v2 integration',
    secret: true,
    description: 'the service of PagerDuty that is called',
  }),
  alertPagerdutyUrl: safeAddress(
    'ALERT_PAGERDUTY_URL',
    'where its events go instead of https://events.pagerduty.com/v2/enqueue; in the EU https://events.eu.pagerduty.com/v2/enqueue',
  ),
  alertTimeoutSeconds: whole({
    env: 'ALERT_TIMEOUT_SECONDS',
    min: 1,
    max: 120,
    default: 10,
    description: 'how long a receiver may take for one attempt',
  }),
  alertRunbookBaseUrl: optionalText({
    env: 'ALERT_RUNBOOK_BASE_URL',
    pattern: /^https?:\/\/[^\s/?#]+[^\s?#]*$/,
    allowed: 'an http:// or https:// address',
    description:
      'where the pages of docs/alerts/ can be read, for the links in notifications: ADDRESS/RULE.md; without it they name market-kpi alerts explain',
  }),
} as const satisfies Record<string, Setting<unknown>>
