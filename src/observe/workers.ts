// Which workers and feeds are there, which are missing, and which need no more words. A row of `worker_status` is one
// process, from its start to its end:
//
//     live → stopped        it said so
//          → lost           it has not been heard of for WORKER_DOWN_SECONDS, or another one started in its place
//            → missing      lost, and nothing took its place
//
// A place is a machine and a slot or port on it. Whoever starts in the same place later is the successor, however that one
// fared; of a crash that repeats, the last process alone is missing. Where places do not last, as in containers, a process
// that started later in a place of its own takes the place of one.

import type { Thresholds } from '../config/thresholds.ts'
import type { WorkerState } from './snapshot.ts'

/** One that is gone is shown for so long. */
const shownSeconds = 600

/** Heard of lately, not stopped, and without a successor. */
export function liveWorkers(
  workers: readonly WorkerState[],
  kind: WorkerState['kind'],
  thresholds: Thresholds,
): WorkerState[] {
  const isLive = liveAmong(workers, thresholds)
  return workers.filter((worker) => worker.kind === kind && isLive(worker))
}

/** Ended without saying so. */
export function lostWorkers(
  workers: readonly WorkerState[],
  kind: WorkerState['kind'],
  thresholds: Thresholds,
): WorkerState[] {
  const isLive = liveAmong(workers, thresholds)
  return workers.filter((worker) => worker.kind === kind && worker.stoppedAtMs === null && !isLive(worker))
}

/** A place holds one process: who has a successor there is dead, however lately it was heard of. */
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

/** Lost, and nothing took its place. One that is gone for long while others do its work was taken away. */
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
      // Both of the database's clock: who was seen last at that time cannot have started after it.
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
  /** Its own word; `gone` where it ended without one. */
  readonly word: string
}

/** Those that a person wants to see: the live ones, and for ten minutes those that ended. */
export function shownWorkers(workers: readonly WorkerState[], thresholds: Thresholds): ShownWorker[] {
  const isLive = liveAmong(workers, thresholds)
  return workers.flatMap((worker): ShownWorker[] => {
    if (isLive(worker)) return [{ worker, isGone: false, word: worker.workerState }]
    if (worker.seenAgoSeconds > shownSeconds) return []
    return [{ worker, isGone: true, word: worker.stoppedAtMs === null ? 'gone' : worker.workerState }]
  })
}
