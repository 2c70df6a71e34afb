// A worker whose wall clock its parent sets forward and back: by messages `{ aheadMs }`. Its servers are named by the
// environment. It ends like `consume`: in order by SIGTERM, at once when its parent is gone.

import { loadConfig } from '../../../src/config/load.ts'
import { KpiError, messageOf } from '../../../src/errors.ts'
import { createLogger } from '../../../src/log.ts'
import { announceReady } from '../../../src/process/ready-signal.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { runWorker } from '../../../src/services/worker.ts'

let aheadMs = 0
process.on('message', (message: { aheadMs: number }) => {
  aheadMs = message.aheadMs
})
process.once('disconnect', () => process.exit(1))
const leave = () => process.exit(0)
process.once('SIGTERM', leave)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())

try {
  await runWorker(
    {
      config: loadConfig({}),
      log: createLogger({ level: 'info', format: 'pretty' }),
      httpPort: 0,
      report: (report) => process.stdout.write(`${JSON.stringify(report)}\n`),
      ready: (url) => {
        process.off('SIGTERM', leave)
        announceReady(url)
      },
      clock: { ...systemClock, wallMs: () => Date.now() + aheadMs },
    },
    stop.signal,
  )
  process.exit(0)
} catch (error) {
  if (!(error instanceof KpiError)) throw error
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(1)
}
