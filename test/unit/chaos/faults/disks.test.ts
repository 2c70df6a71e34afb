import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { smallDisk } from '../../../small-disk.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

it('a disk is filled while somebody writes to it (chaos, seed 62)', () => {
  using folder = temporaryFolder()
  const disks = JSON.stringify(join(import.meta.dirname, '../../../chaos/faults/disks.ts'))
  // For some seconds at most: whatever fails here, nobody may be left writing.
  const writer = `
    const { appendFileSync } = require('node:fs')
    for (let i = 0; i < 4000; i++) {
      appendFileSync('log', Buffer.alloc(65536))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }`
  const script = `
    import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { existsSync } from 'node:fs'
    import { Disk } from ${disks}
    const disk = new Disk(${JSON.stringify(join(folder.path, 'disk'))})
    const writer = spawn(process.execPath, ['--eval', ${JSON.stringify(writer)}], { cwd: disk.folder, stdio: ['ignore', 'ignore', 'pipe'] })
    while (!existsSync(disk.folder + '/log')) await new Promise((resolve) => setTimeout(resolve, 1))
    disk.fill(0)
    const [words] = await once(writer.stderr, 'data')
    process.stdout.write(String(words).includes('ENOSPC') ? 'full' : String(words))`
  const [program, ...args] = smallDisk(folder.path, 'mode=0755').run([
    process.execPath,
    '--input-type=module',
    '--eval',
    script,
  ])
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 })
  expect(stdout, stderr).toBe('full')
})
