// A worker in a process of its own that sends itself a signal when it reaches a step: node doomed-worker.ts STEP SIGNAL.
// Its servers are named by the environment. SIGTERM stops it cleanly.
import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.ts'
import { startWorker } from '../scenes/worker.ts'

const [step = '', signal = 'SIGKILL'] = process.argv.slice(2)
assert(signal === 'SIGKILL' || signal === 'SIGSTOP')
let isReached = false
const worker = await startWorker(
  { config: loadConfig({}) },
  {
    batchSize: 50,
    batchWaitMs: 5,
    onStep: (reached) => {
      if (isReached || reached !== step) return
      isReached = true
      process.stdout.write(`${step}\n`)
      process.kill(process.pid, signal)
    },
  },
)
// A second one, to a worker that froze while it stopped, changes nothing.
const told = Promise.withResolvers<void>()
process.on('SIGTERM', () => told.resolve())
void told.promise.then(() => worker.stop()).then(() => process.exit(0))
process.stdout.write('started\n')
