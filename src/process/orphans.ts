import type { Logger } from '../log.ts'
import { isRunning, signalProcess, waitForEnd } from './process-identity.ts'
import type { RunRecord, RunRecords } from './run-records.ts'
import { stopPlanOf } from './stop-order.ts'

const killWaitMs = 5000

/**
 * Stops the children that a killed `up` has left running, in the order of a regular stop. If the recorded process has
 * ended, or its pid now belongs to another process, only the record is removed.
 *
 * @returns The names of the children that were stopped.
 */
export async function takeDownOrphans(records: RunRecords, log: Logger): Promise<string[]> {
  const stages = new Map<number, RunRecord[]>()
  for (const record of records.all()) {
    const { stage } = stopPlanOf(record.name)
    stages.set(stage, [...(stages.get(stage) ?? []), record])
  }
  const ended: string[] = []
  for (const stage of [...stages.keys()].sort((a, b) => a - b)) {
    const names = await Promise.all((stages.get(stage) ?? []).map((record) => takeDown(record, records, log)))
    ended.push(...names.filter((name) => name !== undefined))
  }
  return ended
}

async function takeDown(record: RunRecord, records: RunRecords, log: Logger): Promise<string | undefined> {
  const { name, pid } = record
  const there = isRunning(record)
  if (there) {
    const { signal, deadlineMs } = stopPlanOf(name)
    log.warn(`${name} (pid ${pid}) was left behind by an earlier run: stopping it`)
    signalProcess(record, signal)
    if (!(await waitForEnd(record, deadlineMs))) {
      signalProcess(record, 'SIGKILL')
      await waitForEnd(record, killWaitMs)
    }
  }
  records.remove(name, pid)
  return there ? name : undefined
}
