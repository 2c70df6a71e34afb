import { choice, optionalText, type Setting, whole } from './setting.ts'

/** A receiver that may be in the same network. */
const httpUrl = /^https?:\/\/[^\s/?#,]+[^\s,]*$/
/** A URL that contains a secret must be encrypted, except on this machine. */
const safeUrl = /^(https:\/\/[^\s/?#,]+|http:\/\/(localhost|127\.0\.0\.1)(:\d{1,5})?(?=[/?#]|$))[^\s,]*$/
const address = /[^\s,;<>@]+@[^\s,;<>@]+/.source
/** `desk@example.com` or `The desk <desk@example.com>`. */
const mailbox = `(${address}|[^\\s,;<>@][^,;<>@]*<${address}>)`
const aboutSafeUrl = 'an https:// address (http:// only on localhost)'

function safeAddress(env: string, description: string) {
  return optionalText({ env, pattern: safeUrl, allowed: aboutSafeUrl, secret: true, description })
}

/** Who gets alerts, and how. Webhook addresses are secrets, because anyone who has one can post to it. */
export const notifierSettings = {
  alertWebhookUrl: optionalText({
    env: 'ALERT_WEBHOOK_URL',
    pattern: httpUrl,
    allowed: 'an http:// or https:// address',
    secret: true,
    description: 'address to which notifications are sent as JSON: docs/alerts/README.md',
  }),
  alertWebhookSecret: optionalText({
    env: 'ALERT_WEBHOOK_SECRET',
    pattern: /^.{16,}$/,
    allowed: '16 characters or more',
    secret: true,
    description: 'key that signs the notifications to ALERT_WEBHOOK_URL',
  }),
  alertSlackWebhookUrl: safeAddress('ALERT_SLACK_WEBHOOK_URL', 'an incoming webhook of Slack'),
  alertTeamsWebhookUrl: safeAddress('ALERT_TEAMS_WEBHOOK_URL', 'a Workflows webhook of Microsoft Teams'),
  alertSmtpUrl: optionalText({
    env: 'ALERT_SMTP_URL',
    pattern: /^smtps?:\/\/([^\s/@]*@)?[^\s/@:?#]+(:\d{1,5})?\/?$/,
    allowed: 'smtps://USER:PASSWORD@HOST:465 or smtp://USER:PASSWORD@HOST:587, percent-encoded',
    secret: true,
    description: 'e-mail server; smtp:// begins unencrypted and switches to TLS with STARTTLS',
  }),
  alertSmtpTls: choice({
    env: 'ALERT_SMTP_TLS',
    of: ['required', 'when-offered'],
    default: 'required',
    description: '`when-offered` sends e-mail and the password unencrypted to an smtp:// server without STARTTLS',
  }),
  alertSmtpCa: optionalText({
    env: 'ALERT_SMTP_CA',
    allowed: 'a PEM file',
    description: "certificate authorities to trust when sending e-mail (default: the system's)",
  }),
  alertEmailFrom: optionalText({
    env: 'ALERT_EMAIL_FROM',
    pattern: new RegExp(`^${mailbox}$`),
    allowed: 'an address, or NAME <ADDRESS>',
    description: 'sender of e-mail',
  }),
  alertEmailTo: optionalText({
    env: 'ALERT_EMAIL_TO',
    pattern: new RegExp(`^${mailbox}(\\s*,\\s*${mailbox})*$`),
    allowed: 'addresses separated by commas',
    description: 'recipients of e-mail',
  }),
  alertAlertmanagerUrls: optionalText({
    env: 'ALERT_ALERTMANAGER_URLS',
    pattern: /^https?:\/\/[^\s/?#,]+[^\s,?#]*(,\s*https?:\/\/[^\s/?#,]+[^\s,?#]*)*$/,
    allowed: 'http:// or https:// addresses separated by commas, without /api/v2',
    secret: true,
    description: 'Alertmanagers; every alert is sent to each of them',
  }),
  alertPagerdutyRoutingKey: optionalText({
    env: 'ALERT_PAGERDUTY_ROUTING_KEY',
    pattern: /^[A-Za-z0-9]{32}$/,
    allowed: 'the key of an Events API v2 integration (32 characters)',
    secret: true,
    description: 'PagerDuty service to notify',
  }),
  alertPagerdutyUrl: safeAddress(
    'ALERT_PAGERDUTY_URL',
    'address for PagerDuty events (default: https://events.pagerduty.com/v2/enqueue); in the EU https://events.eu.pagerduty.com/v2/enqueue',
  ),
  alertTimeoutSeconds: whole({
    env: 'ALERT_TIMEOUT_SECONDS',
    min: 1,
    max: 120,
    default: 10,
    description: 'timeout of one attempt to notify a receiver',
  }),
  alertRunbookBaseUrl: optionalText({
    env: 'ALERT_RUNBOOK_BASE_URL',
    pattern: /^https?:\/\/[^\s/?#]+[^\s?#]*$/,
    allowed: 'an http:// or https:// address',
    description:
      'address at which docs/alerts/ is served, for links (ADDRESS/RULE.md) in notifications; without it they name the command market-kpi alerts explain',
  }),
} as const satisfies Record<string, Setting<unknown>>
