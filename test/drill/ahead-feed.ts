// The feed on a machine whose clock is ahead: `node ahead-feed.ts SECONDS RATE`. Its servers are named by the environment.

import { loadConfig } from '../../src/config/load.ts'
import { SimulateSource } from '../../src/feed/simulate/simulate-source.ts'
import { symbolNames } from '../../src/feed/simulate/symbols.ts'
import { createLogger } from '../../src/log.ts'
import { announceReady, whenSupervisorGone } from '../../src/process/ready-signal.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { runFeed } from '../../src/services/feed.ts'

const [aheadSeconds, ratePerSecond] = process.argv.slice(2).map(Number) as [number, number]
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
whenSupervisorGone(() => stop.abort())
const config = loadConfig({})
const source = new SimulateSource(
  {
    names: symbolNames(config.symbols),
    seed: 'ahead',
    ratePerSecond,
    count: Number.POSITIVE_INFINITY,
    disorder: 0,
    disorderSeconds: 60,
    duplicates: 0,
    bad: 0,
    pauseEverySeconds: Number.POSITIVE_INFINITY,
    pauseForSeconds: 60,
  },
  { ...systemClock, wallMs: () => Date.now() + aheadSeconds * 1000 },
)
process.exitCode = await runFeed(
  {
    config,
    log: createLogger({ level: 'info', format: 'pretty' }),
    compression: 'none',
    open: async () => ({ source: async () => source }),
    sourceKind: 'simulate',
    httpPort: undefined,
    isSupervised: true,
    ready: announceReady,
  },
  stop.signal,
)
process.disconnect?.()
