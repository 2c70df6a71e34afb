import { spawnSync } from 'node:child_process'

/** A way to run programs where a folder lies on a small disk of its own. */
export interface SmallDisk {
  /** The command line that runs this one there. */
  run(command: readonly string[]): readonly [string, ...string[]]
}

/**
 * A disk of so many kilobytes, or one that is read-only, at a folder: a mount that only the program sees and that is
 * gone with it. Root may make one; others by a user namespace.
 */
export function smallDisk(folder: string, options: string): SmallDisk {
  const script = 'mount -t tmpfs -o "$0" market-kpi-test "$1" && shift && exec "$@"'
  const ways = [
    ['unshare', '--mount'],
    ['unshare', '--mount', '--map-root-user'],
  ] as const
  for (const way of ways) {
    const run = (command: readonly string[]) => [...way, 'sh', '-c', script, options, folder, ...command] as const
    const [program, ...args] = run(['true'])
    if (spawnSync(program, args).status === 0) return { run }
  }
  throw new Error('no disk can be mounted here, not even in a user namespace: allow one of both to this account')
}
