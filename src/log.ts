import { createRequire } from 'node:module'
import { type DestinationStream, pino } from 'pino'

const require = createRequire(import.meta.url)

export interface Logger {
  debug(fields: object, message?: string): void
  debug(message: string): void
  info(fields: object, message?: string): void
  info(message: string): void
  warn(fields: object, message?: string): void
  warn(message: string): void
  error(fields: object, message?: string): void
  error(message: string): void
  child(bindings: Record<string, unknown>): Logger
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const
export const logFormats = ['json', 'pretty'] as const

/** Logs go to stderr, so that stdout holds results only; synchronously, since the last line before an end counts most. */
export function createLogger(options: {
  level: (typeof logLevels)[number]
  format: (typeof logFormats)[number]
  colour?: boolean
}): Logger {
  const destination =
    options.format === 'pretty' ? prettyDestination(options.colour ?? false) : pino.destination({ dest: 2, sync: true })
  return pino({ level: options.level }, destination)
}

/** Loads what makes lines pretty when there is a first line: most commands log nothing. */
function prettyDestination(colorize: boolean): DestinationStream {
  let stream: DestinationStream | undefined
  const open = () => {
    const { build } = require('pino-pretty') as typeof import('pino-pretty')
    const translateTime = 'UTC:yyyy-mm-dd HH:MM:ss.l'
    return build({ colorize, destination: 2, sync: true, ignore: 'pid,hostname', translateTime })
  }
  return {
    write: (line) => {
      stream ??= open()
      stream.write(line)
    },
  }
}
