import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, statfsSync } from 'node:fs'

/** Says to a run that it has a mount namespace of its own, or why it has none. */
export const disksVariable = 'MARKET_KPI_CHAOS_DISKS'

export const disksReady = 'yes'

/** Why no disks can be mounted here; undefined when they can. */
export function obstacleToDisks(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has mount namespaces'
  if (process.getuid?.() !== 0) return 'only root may mount a disk of its own'
  const tried = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs market-kpi-chaos /mnt'], {
    encoding: 'utf8',
  })
  if (tried.status === 0) return undefined
  return `no disk can be mounted here: ${(tried.error?.message ?? tried.stderr).trim().split('\n')[0]}`
}

const roomyKib = 6 * 1024 * 1024
const blockBytes = 4096

/** A disk in memory, of this process's mount namespace alone: it is gone with the last process that sees it. */
export class Disk {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    mount(['-t', 'tmpfs', '-o', `size=${roomyKib}k,mode=0755`, 'market-kpi-chaos', folder])
  }

  /** Leaves room for so many bytes more, or for as many as are written meanwhile. @returns How many bytes are in use. */
  fill(leftBytes: number): number {
    for (let roomBytes = leftBytes; ; ) {
      const usedBytes = this.#usedBytes()
      const size = Math.ceil((usedBytes + roomBytes) / blockBytes) * blockBytes
      try {
        mount(['-o', `remount,size=${size / 1024}k`, this.folder])
        return usedBytes
      } catch (error) {
        // A size below what is in use is refused.
        const grownBytes = this.#usedBytes() - usedBytes
        if (grownBytes <= roomBytes) throw error
        roomBytes = 2 * grownBytes
      }
    }
  }

  #usedBytes(): number {
    const { blocks, bfree, bsize } = statfsSync(this.folder)
    return (blocks - bfree) * bsize
  }

  free(): void {
    mount(['-o', `remount,size=${roomyKib}k`, this.folder])
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.folder])
  }
}

function mount(args: readonly string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
