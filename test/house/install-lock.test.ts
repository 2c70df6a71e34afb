import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './tracked-files.ts'

/** Takes the lock again and again; `inside` can be made only while nobody else is there. Sometimes dies holding it. */
const contender = `
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { takeLock } from ${JSON.stringify(join(root, 'scripts', 'install-lock.mjs'))}
for (let round = 0; round < 4; round++) {
  const release = await takeLock('lock', () => {})
  writeFileSync('inside', String(process.pid), { flag: 'wx' })
  await new Promise(setImmediate)
  rmSync('inside')
  appendFileSync('held', 'x')
  if (round === 3 && process.argv[2] === 'dies') process.kill(process.pid, 'SIGKILL')
  release()
}
`

it('the install lock has one holder at a time, and outlives none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'market-kpi-lock-'))
  try {
    writeFileSync(join(folder, 'lock'), `${spawnSync(process.execPath, ['-e', '']).pid}\n`)
    writeFileSync(join(folder, 'contender.mjs'), contender)
    const ends = await Promise.all(
      ['stays', 'dies', 'stays', 'dies', 'stays', 'dies'].map(
        (how) =>
          new Promise<string>((resolve) => {
            const child = spawn(process.execPath, ['contender.mjs', how], {
              cwd: folder,
              stdio: ['ignore', 'ignore', 'inherit'],
            })
            child.once('exit', (code, signal) => resolve(`${how}: ${code ?? signal}`))
          }),
      ),
    )
    expect(ends).toEqual(Array.from({ length: 3 }, () => ['stays: 0', 'dies: SIGKILL']).flat())
    expect(readFileSync(join(folder, 'held'), 'utf8')).toBe('x'.repeat(24))
    expect(readdirSync(folder).filter((name) => name.startsWith('lock.'))).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
