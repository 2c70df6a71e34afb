import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Command } from 'commander'
import { guidance } from '../../alerts/build-notification.ts'
import type { Notification } from '../../alerts/notification.ts'
import { makeNotifiers } from '../../alerts/notifiers/make-notifiers.ts'
import { fingerprintOf } from '../../alerts/signal.ts'
import type { Config } from '../../config/load.ts'
import { suggestion } from '../../config/nearest.ts'
import { KpiError } from '../../errors.ts'
import { addSettingOptions, configure, withErrors } from '../command.ts'

export function registerTest(command: Command): void {
  command.option('--notifier <name>', 'only this receiver')
  addSettingOptions(command, ['kafkaTopic', 'kafkaGroup']).action(
    withErrors((_flags: unknown, self: Command) => test(self)),
  )
}

/** @returns 1 if a notifier failed. */
async function test(command: Command): Promise<number> {
  const { config, log } = configure(command)
  const { notifier: wanted } = command.opts<{ notifier?: string }>()
  const notifiers = makeNotifiers(config, log)
  try {
    const asked = notifiers.filter(({ name }) => wanted === undefined || name === wanted)
    if (asked.length === 0) {
      const names = notifiers.map(({ name }) => name)
      throw new KpiError('KPI_USAGE', `there is no receiver '${wanted}': ${suggestion(wanted ?? '', names)}`)
    }
    const signal = new AbortController().signal
    const deliveries = await Promise.all(
      asked.map(async (one) => ({ name: one.name, delivery: await one.deliver(testNotification(config), signal) })),
    )
    for (const { name, delivery } of deliveries) {
      const how = delivery.outcome === 'delivered' ? 'delivered' : `FAILED (${delivery.outcome}): ${delivery.reason}`
      process.stdout.write(`${name}: ${how}\n`)
    }
    return deliveries.every(({ delivery }) => delivery.outcome === 'delivered') ? 0 : 1
  } finally {
    await Promise.all(notifiers.map((one) => one.close()))
  }
}

function testNotification(config: Config): Notification {
  const nowMs = Date.now()
  const alert = { rule: 'Test', labels: {} }
  return {
    id: randomUUID(),
    groupKey: `${config.kafkaTopic}/${config.kafkaGroup}/test`,
    reason: 'test',
    status: 'firing',
    alerts: [
      {
        ...alert,
        fingerprint: fingerprintOf(alert),
        severity: 'info',
        stage: 'kpi',
        state: 'firing',
        summary: 'this is only a test; alerts of market-kpi arrive here',
        value: null,
        unit: null,
        firedAtMs: nowMs,
        resolvedAtMs: null,
        ...guidance('Test', config.alertRunbookBaseUrl),
        explainCommand: 'market-kpi alerts explain',
      },
    ],
    source: { topic: config.kafkaTopic, group: config.kafkaGroup, evaluator: hostname() },
    sentAtMs: nowMs,
  }
}
