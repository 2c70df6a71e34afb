const scheduled = /Scheduling loading of metadata from (__consumer_offsets-\d+) with epoch (\d+)/
const finished = /Finished loading of metadata from (__consumer_offsets-\d+) with epoch (\d+) .*Loaded (\d+) records/
const failed = /Failed to load metadata from (__consumer_offsets-\d+) with epoch (\d+)/
const ignored = /Ignored load completion from (__consumer_offsets-\d+) because context is in (\w+) state/

/**
 * Reads from the broker's own log how it loads its groups.
 *
 * After kill −9 the one broker becomes leader of its partitions, loses them when it registers anew, and becomes leader
 * again, all within half a second. A first load that takes longer is taken for the second's (seen with Kafka 4.4.0): the
 * coordinator works on with less than it had stored; or it fails, since the first was stopped on the way, then ignores
 * what the second loaded, and answers NOT_COORDINATOR until it is started again.
 */
export class GroupLoads {
  /** Partitions whose newest load was not heard to end. */
  readonly #underWay = new Set<string>()
  /** The epoch of each partition's newest load. */
  readonly #newest = new Map<string, number>()
  #mixedUp = false

  /** Whether an old load was taken for a newer one, and it matters. */
  get mixedUp(): boolean {
    return this.#mixedUp
  }

  get settled(): boolean {
    return this.#underWay.size === 0
  }

  read(line: string): void {
    if (!line.includes('__consumer_offsets-')) return
    const [, loading, epoch] = scheduled.exec(line) ?? []
    if (loading !== undefined) {
      this.#underWay.add(loading)
      this.#newest.set(loading, Number(epoch))
    }
    const [, loaded, loadedEpoch, records] = finished.exec(line) ?? []
    if (loaded !== undefined) this.#finished(loaded, Number(loadedEpoch), Number(records))
    const [, broken, brokenEpoch] = failed.exec(line) ?? []
    if (broken !== undefined && Number(brokenEpoch) === this.#newest.get(broken)) this.#underWay.delete(broken)
    const [, ended, state] = ignored.exec(line) ?? []
    if (ended !== undefined) this.#underWay.delete(ended)
    if (state === 'FAILED') this.#mixedUp = true
  }

  #finished(partition: string, epoch: number, records: number): void {
    const isOld = epoch < (this.#newest.get(partition) ?? 0)
    if (!isOld) this.#underWay.delete(partition)
    // One that holds no group has nothing to mix up.
    else if (records > 0) this.#mixedUp = true
  }
}
