// Decides which workers and feeds are running, which are missing, and which can be ignored. A row of `worker_status`
// describes one process, from its start to its end:
//
//     live → stopped        it reported a clean shutdown
//          → lost           it has not reported for WORKER_DOWN_SECONDS, or another process started in its place
//            → missing      it is lost, and no other process replaced it
//
// A place is a machine and a slot or port on it. A process that starts later in the same place is the successor, even
// if it ends too: of a process that crashes again and again, only the last one is missing. Where places are not
// permanent, as in containers, a process that started later in a place of its own replaces one lost process.

import type { Thresholds } from '../config/thresholds.ts'
import type { WorkerState } from './snapshot.ts'

/** How long a process that ended is still shown: ten minutes. */
const shownSeconds = 600

/** Processes that reported recently, have not stopped and have no successor. */
export function liveWorkers(
  workers: readonly WorkerState[],
  kind: WorkerState['kind'],
  thresholds: Thresholds,
): WorkerState[] {
  const isLive = liveAmong(workers, thresholds)
  return workers.filter((worker) => worker.kind === kind && isLive(worker))
}

/** Processes that ended without a clean shutdown. */
export function lostWorkers(
  workers: readonly WorkerState[],
  kind: WorkerState['kind'],
  thresholds: Thresholds,
): WorkerState[] {
  const isLive = liveAmong(workers, thresholds)
  return workers.filter((worker) => worker.kind === kind && worker.stoppedAtMs === null && !isLive(worker))
}

/** Only one process runs in a place: one that has a successor there is dead, however recently it reported. */
function liveAmong(
  workers: readonly WorkerState[],
  { workerDownSeconds }: Thresholds,
): (worker: WorkerState) => boolean {
  const lastStarts = new Map<string, number>()
  for (const { place, startedAtMs } of workers) {
    if (place !== null) lastStarts.set(place, Math.max(startedAtMs, lastStarts.get(place) ?? 0))
  }
  return ({ place, startedAtMs, stoppedAtMs, seenAgoSeconds }) =>
    stoppedAtMs === null &&
    seenAgoSeconds <= workerDownSeconds &&
    (place === null || startedAtMs >= (lastStarts.get(place) ?? 0))
}

/**
 * Lost processes that no other process replaced. A process that has been lost for more than ten minutes while others
 * run was removed on purpose, and is left out.
 */
export function missingWorkers(
  workers: readonly WorkerState[],
  kind: WorkerState['kind'],
  thresholds: Thresholds,
): WorkerState[] {
  const ofKind = workers.filter((worker) => worker.kind === kind)
  const live = liveWorkers(ofKind, kind, thresholds)
  const substitutes = live.filter((worker) => !ofKind.some((other) => isSuccessor(worker, other)))
  return lostWorkers(ofKind, kind, thresholds)
    .filter((worker) => !ofKind.some((other) => isSuccessor(other, worker)))
    .toSorted((a, b) => a.seenAgoSeconds - b.seenAgoSeconds)
    .filter((worker) => {
      // Both times are of the database's clock, so they can be compared.
      const index = substitutes.findIndex((next) => next.startedAtMs > worker.startedAtMs)
      if (index >= 0) substitutes.splice(index, 1)
      return index < 0
    })
    .filter(({ seenAgoSeconds }) => live.length === 0 || seenAgoSeconds <= shownSeconds)
}

function isSuccessor(later: WorkerState, earlier: WorkerState): boolean {
  return later.place !== null && later.place === earlier.place && later.startedAtMs > earlier.startedAtMs
}

export interface ShownWorker {
  readonly worker: WorkerState
  readonly isGone: boolean
  /** The state that it reported last; `gone` if it ended without a clean shutdown. */
  readonly word: string
}

/** Processes to show in views: those that are running, and those that ended in the last ten minutes. */
export function shownWorkers(workers: readonly WorkerState[], thresholds: Thresholds): ShownWorker[] {
  const isLive = liveAmong(workers, thresholds)
  return workers.flatMap((worker): ShownWorker[] => {
    if (isLive(worker)) return [{ worker, isGone: false, word: worker.workerState }]
    if (worker.seenAgoSeconds > shownSeconds) return []
    return [{ worker, isGone: true, word: worker.stoppedAtMs === null ? 'gone' : worker.workerState }]
  })
}
