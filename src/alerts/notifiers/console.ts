import type { Logger } from '../../log.ts'
import type { Severity } from '../../observe/finding.ts'
import type { NotifiedAlert, Notifier } from '../notification.ts'
import { headline, whatToDo } from './wording.ts'

/** The log level for a firing alert; a resolved one is logged as information. */
const levelOf: Record<Severity, 'info' | 'warn' | 'error'> = { info: 'info', warning: 'warn', critical: 'error' }

/** Logs one line for each alert, with fields for programs. */
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
