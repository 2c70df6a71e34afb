// A worker in a process of its own that kills itself, by SIGKILL, at a step of a commit: node doomed-worker.ts STEP.
// Its servers are named by the environment.
import { loadConfig } from '../../src/config/load.ts'
import { startWorker } from './worker.ts'

const [step = ''] = process.argv.slice(2)
await startWorker(
  { config: loadConfig({}) },
  {
    batchSize: 50,
    batchWaitMs: 5,
    onStep: (reached) => {
      if (reached === step) process.kill(process.pid, 'SIGKILL')
    },
  },
)
