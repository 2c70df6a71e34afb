import { readdirSync, readFileSync } from 'node:fs'

/** What the system counted for a process. All of it is from /proc, and NaN where there is none. */
export interface ProcessFigures {
  readonly cpuSeconds: number
  readonly peakMemoryMb: number
}

const clockTicksPerSecond = 100
// Positions in /proc/PID/stat, counted from the one behind the name.
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
 * Of a process and all below it, those that have ended included: PostgreSQL works in a process a connection, and the
 * postmaster inherits the time of each that ends.
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
    // Ended meanwhile; its time is its parent's now.
  }
}

function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function secondsAt(fields: readonly string[], ...positions: readonly number[]): number {
  return positions.reduce((sum, at) => sum + Number(fields[at]), 0) / clockTicksPerSecond
}
