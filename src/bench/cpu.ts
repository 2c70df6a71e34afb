import { readdirSync, readFileSync } from 'node:fs'

/** What the operating system counted for a process. All values come from /proc; they are NaN on systems without it. */
export interface ProcessFigures {
  readonly cpuSeconds: number
  readonly peakMemoryMb: number
}

const clockTicksPerSecond = 100
// Field positions in /proc/PID/stat, counted from the field after the name.
const parentAt = 1
const userAt = 11
const systemAt = 12
const endedUserAt = 13
const endedSystemAt = 14

export function processFigures(pid: number): ProcessFigures {
  try {
    const fields = statOf(pid)
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return { cpuSeconds: secondsAt(fields, userAt, systemAt), peakMemoryMb: Number(peak) / 1024 }
  } catch {
    return { cpuSeconds: Number.NaN, peakMemoryMb: Number.NaN }
  }
}

/**
 * CPU seconds of a process and all its descendants, including those that have ended: PostgreSQL uses a process per
 * connection, and the postmaster inherits the time of each one that ends.
 */
export function treeCpuSeconds(root: number): number {
  try {
    const stats = new Map<number, readonly string[]>()
    for (const entry of readdirSync('/proc')) if (/^\d+$/.test(entry)) addStat(stats, Number(entry))
    const seconds = (pid: number): number => {
      const own = secondsAt(stats.get(pid) ?? [], userAt, systemAt, endedUserAt, endedSystemAt)
      const children = [...stats].filter(([, fields]) => Number(fields[parentAt]) === pid)
      return children.reduce((sum, [child]) => sum + seconds(child), own)
    }
    return seconds(root)
  } catch {
    return Number.NaN
  }
}

function addStat(stats: Map<number, readonly string[]>, pid: number): void {
  try {
    stats.set(pid, statOf(pid))
  } catch {
    // The process has ended meanwhile, and its time now counts for its parent.
  }
}

function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function secondsAt(fields: readonly string[], ...positions: readonly number[]): number {
  return positions.reduce((sum, at) => sum + Number(fields[at]), 0) / clockTicksPerSecond
}
