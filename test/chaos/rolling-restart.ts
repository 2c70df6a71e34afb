import type { Scene } from './actions.ts'
import { untilInSync } from './replicas.ts'

/** One broker after the other stops and starts again, each while all of them have everything. */
export function restartAllBrokers(scene: Scene, forMs: number): Promise<void> {
  return scene.brokers.run(async () => {
    for (const { home } of scene.stack.brokers) {
      await untilInSync(scene)
      await home.stop()
      await scene.pause(forMs)
      await home.restart()
    }
  })
}
