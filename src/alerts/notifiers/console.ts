import type { Logger } from '../../log.ts'
import type { Severity } from '../../observe/finding.ts'
import type { NotifiedAlert, Notifier } from '../notification.ts'
import { headline, whatToDo } from './wording.ts'

/** The level of the line; a resolved alert is only worth knowing. */
const levelOf: Record<Severity, 'info' | 'warn' | 'error'> = { info: 'info', warning: 'warn', critical: 'error' }

/** One line of the log for each alert, with what a program may want to read as fields. */
export function consoleNotifier(log: Logger): Notifier {
  return {
    name: 'console',
    isForMachines: false,
    deliver: async ({ alerts, reason }) => {
      for (const alert of alerts) tell(log, alert, reason)
      return { outcome: 'delivered' }
    },
    close: async () => {},
  }
}

function tell(log: Logger, alert: NotifiedAlert, reason: string): void {
  const { fingerprint, labels } = alert
  const level = alert.state === 'resolved' ? 'info' : levelOf[alert.severity]
  log[level]({ fingerprint, reason, labels, whatToDo: whatToDo(alert) }, headline(alert))
}
