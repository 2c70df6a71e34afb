import type { Config } from '../config/load.ts'
import type { Thresholds } from '../config/thresholds.ts'
import { kafkaOptions } from '../kafka/client/options.ts'
import { Observer } from '../observe/observer.ts'
import { postgresOptions } from '../store/client/connection.ts'

/** Creates an observer of the configured pipeline. */
export function observerOf(config: Config, thresholds: Thresholds): Observer {
  return new Observer(
    {
      kafka: kafkaOptions(config, 'market-kpi-observer'),
      postgres: postgresOptions(config),
      asked: {
        topic: config.kafkaTopic,
        group: config.kafkaGroup,
        windowSeconds: config.windowSeconds,
        maxFutureSeconds: config.maxFutureSeconds,
        decimals: config.decimals,
        recentSeconds: config.errorRateSeconds,
      },
    },
    thresholds,
  )
}
