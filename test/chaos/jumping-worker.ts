// A worker whose wall clock its parent sets forward and back: by messages `{ aheadMs }`. Its servers are named by the
// environment. It ends like `consume`: in order by SIGTERM, at once when its parent is gone.
import { loadConfig } from '../../src/config/load.ts'
import { announceReady } from '../../src/embedded/ready-signal.ts'
import { KpiError, messageOf } from '../../src/errors.ts'
import { createLogger } from '../../src/log.ts'
import { startWorker } from '../integration/worker.ts'

let aheadMs = 0
process.on('message', (message: { aheadMs: number }) => {
  aheadMs = message.aheadMs
})
process.once('disconnect', () => process.exit(1))
const leave = () => process.exit(0)
process.once('SIGTERM', leave)
const stopped = new Promise<undefined>((resolve) => process.once('SIGTERM', () => resolve(undefined)))

async function work(): Promise<void> {
  const config = loadConfig({})
  const log = createLogger({ level: 'info', format: 'pretty' })
  const running = await startWorker(
    { config },
    { log, now: () => Date.now() + aheadMs, batchWaitMs: config.batchWaitMs },
  )
  process.off('SIGTERM', leave)
  announceReady()
  const failure = await Promise.race([running.fatal, stopped])
  await running.stop()
  if (failure) throw failure
}

try {
  await work()
  process.exit(0)
} catch (error) {
  if (!(error instanceof KpiError)) throw error
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(1)
}
