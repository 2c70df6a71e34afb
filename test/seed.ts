import { beforeEach } from 'vitest'

/**
 * What the tests of this file draw their data from. A failure prints it, and FC_SEED repeats it:
 * `FC_SEED=… npm test -- FILE`.
 */
export const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000)

beforeEach(({ onTestFailed }) => {
  onTestFailed(({ task }) => {
    for (const error of task.result?.errors ?? []) error.message += ` (repeat with FC_SEED=${seed})`
  })
})
