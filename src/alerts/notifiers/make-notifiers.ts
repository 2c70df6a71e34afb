import type { Config } from '../../config/load.ts'
import type { Logger } from '../../log.ts'
import type { Notifier } from '../notification.ts'
import { consoleNotifier } from './console.ts'

/** The receivers of this configuration: the log always, then each that has an address. */
export function makeNotifiers(_config: Config, log: Logger): readonly Notifier[] {
  return [consoleNotifier(log)]
}
