import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { ensureKafkaProtocol } from './scripts/kafka-protocol.mjs'

await ensureKafkaProtocol()
const stack = 'test/integration/servers/stack.ts'

export default defineConfig({
  test: {
    // The machines this runs on have two cores, and the broker and the database want some of them too.
    maxWorkers: 2,
    reporters: ['default', './scripts/closing-reporter.ts'],
    passWithNoTests: false,
    allowOnly: !process.env.CI,
    // A promise that nobody awaited fails the run: never turned off.
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          ...(existsSync(stack) ? { globalSetup: [stack] } : {}),
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'house', include: ['test/house/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 180_000 } },
    ],
  },
})
