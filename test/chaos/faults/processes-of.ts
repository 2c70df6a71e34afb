import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process uses. */
export interface Vitals {
  readonly residentMb: number
  readonly files: number
}

/** Undefined when there is no such process. */
export function vitalsOf(pid: number): Vitals | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kib = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1])
    return { residentMb: kib / 1024, files: readdirSync(`/proc/${pid}/fd`).length }
  } catch {
    return undefined
  }
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Processes other than this one and its parents that mention a text: in command line, environment or working folder. */
export function processesWith(text: string): string[] {
  const own = new Set([process.pid, process.ppid])
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && !own.has(Number(entry)))
    .flatMap((entry) => {
      const traces = ['cmdline', 'environ'].map((file) => read(`/proc/${entry}/${file}`))
      const isOne = [...traces, folderOf(entry)].some((trace) => trace.includes(text))
      return isOne ? [`${entry} ${(traces[0] ?? '').replaceAll('\0', ' ').slice(0, 100)}`] : []
    })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function folderOf(entry: string): string {
  try {
    return readlinkSync(`/proc/${entry}/cwd`)
  } catch {
    return ''
  }
}
