import type { Crew } from './crew.ts'
import type { Vitals } from './faults/processes-of.ts'

/** A worker of the largest load stays below it. */
const mostResidentMb = 350
/** What a heap may still grow by after its first minutes, and what connections come and go. */
const grownShare = 0.25
const grownMb = 40
const grownFiles = 10
/** Samples of a process before it counts as warm. */
const warmAfter = 2

/** What the workers use at quiet points, by process: memory and open files have to be flat. */
export class VitalsBook {
  readonly #samples = new Map<number, { name: string; vitals: Vitals[] }>()

  /** @returns What is wrong with it. */
  sample(crew: Crew): string[] {
    return crew.workers.flatMap((worker) => {
      const { pid, vitals, name } = worker
      if (pid === undefined || vitals === undefined) return []
      const known = this.#samples.get(pid) ?? { name, vitals: [] }
      known.vitals.push(vitals)
      this.#samples.set(pid, known)
      return complaints(name, known.vitals)
    })
  }

  /** Of the process that lived longest: its first and last figures. */
  get text(): string {
    const [longest] = [...this.#samples.values()].sort((a, b) => b.vitals.length - a.vitals.length)
    if (longest === undefined) return 'no figures'
    const most = Math.max(...[...this.#samples.values()].flatMap(({ vitals }) => vitals.map((v) => v.residentMb)))
    const [first, last] = [longest.vitals[0], longest.vitals.at(-1)]
    const of = (v: Vitals | undefined) => `${v?.residentMb.toFixed(0)} MB, ${v?.files} files`
    return `${longest.name} from ${of(first)} to ${of(last)}; the largest worker had ${most.toFixed(0)} MB`
  }
}

function complaints(name: string, samples: readonly Vitals[]): string[] {
  const last = samples.at(-1)
  if (last === undefined) return []
  const found: string[] = []
  if (last.residentMb > mostResidentMb) found.push(`${name} has ${last.residentMb.toFixed(0)} MB of memory`)
  const warm = samples[warmAfter - 1]
  if (warm === undefined) return found
  if (last.residentMb > warm.residentMb * (1 + grownShare) + grownMb) {
    found.push(`${name} grew from ${warm.residentMb.toFixed(0)} to ${last.residentMb.toFixed(0)} MB`)
  }
  if (last.files > warm.files + grownFiles) found.push(`${name} went from ${warm.files} to ${last.files} open files`)
  return found
}
