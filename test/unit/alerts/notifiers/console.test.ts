import { expect, it } from 'vitest'
import { consoleNotifier } from '../../../../src/alerts/notifiers/console.ts'
import { RecordingLog } from '../../../recording-log.ts'
import { aNotification, anAlert, resolved } from './samples.ts'

it('writes a line an alert, as loud as it is grave, and quietly that it is over', async () => {
  const log = new RecordingLog()
  const alerts = [
    anAlert(),
    anAlert({ rule: 'WorkerDown', severity: 'warning', labels: {}, summary: 'a worker is gone' }),
    anAlert({ rule: 'Watchdog', severity: 'info', stage: 'kpi', labels: {}, summary: 'alerts work' }),
    resolved(),
  ]
  const delivery = await consoleNotifier(log).deliver(aNotification({ alerts }), new AbortController().signal)
  expect(delivery).toEqual({ outcome: 'delivered' })
  expect(log.lines).toEqual([
    'error: 🔴 [CRITICAL] ConsumerStalled: partition 2 has not moved for 60 s, with 1,204 messages waiting (partition=2)',
    'warn: 🟡 [WARNING] WorkerDown: a worker is gone',
    'info: 🟢 [INFO] Watchdog: alerts work',
    'info: ✅ [RESOLVED] ConsumerStalled: partition 2 has not moved for 60 s, with 1,204 messages waiting (partition=2)',
  ])
})
