import { describe, expect, it } from 'vitest'
import { makeNotifiers } from '../../../../src/alerts/notifiers/make-notifiers.ts'
import { loadConfig } from '../../../../src/config/load.ts'
import { RecordingLog } from '../../../recording-log.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

function made(env: Record<string, string>) {
  using folder = temporaryFolder()
  return makeNotifiers(loadConfig({ env, directory: folder.path }), new RecordingLog())
}

const email = {
  ALERT_SMTP_URL: 'smtps://a%40b:pass%2Fword@mail.example',
  ALERT_EMAIL_FROM: 'Market KPI <kpi@example.com>',
  ALERT_EMAIL_TO: 'desk@example.com , Night <night@example.com>',
}

it('the log is told without any settings', () => {
  expect(made({}).map(({ name }) => name)).toEqual(['console'])
})

it('every receiver that has an address is told; only Alertmanagers want everything often', () => {
  const notifiers = made({
    ...email,
    ALERT_WEBHOOK_URL: 'http://hooks.internal:8080/market',
    ALERT_SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/x',
    ALERT_TEAMS_WEBHOOK_URL:
      'https://prod-1.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=x',
    ALERT_ALERTMANAGER_URLS: 'http://am-1:9093, https://user:pass@am-2/prefix,http://am-1:9093',
    ALERT_PAGERDUTY_ROUTING_KEY: 'R'.repeat(32),
  })
  expect(notifiers.map(({ name, isForMachines }) => [name, isForMachines])).toEqual([
    ['console', false],
    ['webhook', false],
    ['slack', false],
    ['teams', false],
    ['email', false],
    ['alertmanager:am-1:9093', true],
    ['alertmanager:am-2', true],
    ['pagerduty', false],
  ])
})

describe('a mistake is one line, without the secret', () => {
  it.each<[string, Record<string, string>, string | RegExp]>([
    [
      'a webhook without a scheme',
      { ALERT_WEBHOOK_URL: 'secret.example' },
      /^ALERT_WEBHOOK_URL=\(hidden\): must be an http:\/\/ or/,
    ],
    [
      'a short signing secret',
      { ALERT_WEBHOOK_SECRET: 'secret' },
      /^ALERT_WEBHOOK_SECRET=\(hidden\): must be 16 characters or more$/,
    ],
    [
      'Slack over plain HTTP',
      { ALERT_SLACK_WEBHOOK_URL: 'http://secret.example' },
      /^ALERT_SLACK_WEBHOOK_URL=\(hidden\): must be an https/,
    ],
    [
      'a host that begins like this one',
      { ALERT_TEAMS_WEBHOOK_URL: 'http://localhost.secret.example' },
      /^ALERT_TEAMS_WEBHOOK_URL=/,
    ],
    [
      'a user name that resembles this host',
      { ALERT_SLACK_WEBHOOK_URL: 'http://localhost:1@secret.example' },
      /^ALERT_SLACK_WEBHOOK_URL=/,
    ],
    [
      'no SMTP address',
      { ...email, ALERT_SMTP_URL: 'https://secret.example' },
      /^ALERT_SMTP_URL=\(hidden\): must be smtps:\/\//,
    ],
    [
      'no mail address',
      { ...email, ALERT_EMAIL_TO: 'desk' },
      'ALERT_EMAIL_TO=desk: must be addresses separated by commas',
    ],
    [
      'two senders',
      { ...email, ALERT_EMAIL_FROM: 'a@b.c, d@e.f' },
      /^ALERT_EMAIL_FROM=a@b.c, d@e.f: must be an address/,
    ],
    ['an unknown TLS word', { ALERT_SMTP_TLS: 'no' }, 'ALERT_SMTP_TLS=no: must be one of required, when-offered'],
    [
      'a routing key of another kind',
      { ALERT_PAGERDUTY_ROUTING_KEY: 'secret' },
      /^ALERT_PAGERDUTY_ROUTING_KEY=\(hidden\): must be the key of .* \(32 characters\)$/,
    ],
    [
      'an Alertmanager with a query',
      { ALERT_ALERTMANAGER_URLS: 'http://a/?secret' },
      /^ALERT_ALERTMANAGER_URLS=\(hidden\): must be http/,
    ],
    [
      'e-mail to nobody',
      { ALERT_SMTP_URL: 'smtp://secret.example' },
      'ALERT_SMTP_URL: e-mail needs ALERT_EMAIL_FROM and ALERT_EMAIL_TO too',
    ],
    [
      'e-mail without a server',
      { ALERT_EMAIL_TO: 'a@b.c' },
      'ALERT_EMAIL_TO: e-mail needs ALERT_SMTP_URL and ALERT_EMAIL_FROM too',
    ],
    [
      'certificates that are not there',
      { ...email, ALERT_SMTP_CA: 'none.pem' },
      /^ALERT_SMTP_CA=none\.pem: cannot be read: ENOENT/,
    ],
  ])('%s', (_, env, line) => {
    expect(() => made(env)).toThrow(
      expect.objectContaining({
        code: 'KPI_CONFIG_INVALID',
        message: typeof line === 'string' ? line : expect.stringMatching(line),
      }),
    )
    expect(() => made(env)).not.toThrow(/secret\.example/)
  })
})
