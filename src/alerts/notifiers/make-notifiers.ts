import { readFileSync } from 'node:fs'
import type { Config } from '../../config/load.ts'
import { KpiError, messageOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Notifier } from '../notification.ts'
import { alertmanagerNotifier } from './alertmanager.ts'
import { consoleNotifier } from './console.ts'
import { emailNotifier } from './email.ts'
import { pagerdutyNotifier, pagerdutyUrl } from './pagerduty.ts'
import { slackNotifier } from './slack.ts'
import { teamsNotifier } from './teams.ts'
import { webhookNotifier } from './webhook.ts'

/**
 * The receivers of the configuration: always the log, then each receiver that has an address.
 *
 * @throws KpiError `KPI_CONFIG_INVALID` if a setting requires another one, or a certificate file cannot be read.
 */
export function makeNotifiers(config: Config, log: Logger, nowMs: () => number = Date.now): readonly Notifier[] {
  const timeoutMs = config.alertTimeoutSeconds * 1000
  const { alertWebhookUrl, alertWebhookSecret: secret, alertSlackWebhookUrl, alertTeamsWebhookUrl } = config
  const { alertPagerdutyRoutingKey: routingKey, alertPagerdutyUrl = pagerdutyUrl } = config
  return [
    consoleNotifier(log),
    ...(alertWebhookUrl
      ? [webhookNotifier({ url: alertWebhookUrl, timeoutMs, ...(secret ? { secret } : {}) }, nowMs)]
      : []),
    ...(alertSlackWebhookUrl ? [slackNotifier({ url: alertSlackWebhookUrl, timeoutMs }, nowMs)] : []),
    ...(alertTeamsWebhookUrl ? [teamsNotifier({ url: alertTeamsWebhookUrl, timeoutMs }, nowMs)] : []),
    ...emailNotifiers(config, timeoutMs),
    ...alertmanagers(config, timeoutMs, nowMs),
    ...(routingKey ? [pagerdutyNotifier({ url: alertPagerdutyUrl, timeoutMs, routingKey }, nowMs)] : []),
  ]
}

/**
 * One receiver for each Alertmanager, so that one that is down does not affect the others. Several are named by their
 * host.
 */
function alertmanagers(config: Config, timeoutMs: number, nowMs: () => number): Notifier[] {
  const urls = (config.alertAlertmanagerUrls ?? '').split(',').map((url) => url.trim())
  const given = [...new Set(urls)].filter((url) => url !== '')
  return given.map((url) => {
    const name = given.length > 1 ? `alertmanager:${new URL(url).host}` : 'alertmanager'
    return alertmanagerNotifier({ url, timeoutMs, name }, { nowMs })
  })
}

function emailNotifiers(config: Config, timeoutMs: number): Notifier[] {
  const { alertSmtpUrl: url, alertEmailFrom: from, alertEmailTo: to, alertSmtpCa } = config
  const parts = { ALERT_SMTP_URL: url, ALERT_EMAIL_FROM: from, ALERT_EMAIL_TO: to }
  if (url === undefined || from === undefined || to === undefined) {
    const [given] = Object.entries(parts).filter(([, value]) => value !== undefined)
    const missing = Object.entries(parts).flatMap(([name, value]) => (value === undefined ? [name] : []))
    if (!given) return []
    throw new KpiError('KPI_CONFIG_INVALID', `${given[0]}: e-mail needs ${missing.join(' and ')} too`)
  }
  const ca = alertSmtpCa === undefined ? undefined : readCertificates(alertSmtpCa)
  const isTlsRequired = config.alertSmtpTls === 'required'
  const recipients = [...new Set(to.split(',').map((mailbox) => mailbox.trim()))]
  return [emailNotifier({ url, from, to: recipients, isTlsRequired, timeoutMs, ...(ca ? { ca } : {}) })]
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new KpiError('KPI_CONFIG_INVALID', `ALERT_SMTP_CA=${path}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
