import { expect, it } from 'vitest'
import { cpuSecondsOf } from '../../../../src/bench/start-up/cpu-of-command.ts'

/** Works until the process has used so much CPU. */
const busy = (ms: number) =>
  `const used = () => { const { user, system } = process.cpuUsage(); return user + system };
   while (used() < ${ms} * 1000) for (let i = 0; i < 1e6; i += 1);`
const measure = (script: string) =>
  cpuSecondsOf(process.execPath, ['-e', script], { env: process.env, cwd: import.meta.dirname })

it('measures the CPU of a command and not the time that it waits', async () => {
  expect(await measure(busy(150))).toBeGreaterThanOrEqual(0.15)
  expect(await measure('setTimeout(() => {}, 1000)')).toBeLessThan(0.9)
})

it('measures a command that fails, whatever it prints', async () => {
  expect(await measure(`console.error('7 7'); ${busy(150)} process.exitCode = 3`)).toBeGreaterThanOrEqual(0.15)
})

it('says what is missing where there is no bash', async () => {
  const nowhere = cpuSecondsOf(process.execPath, ['-e', '0'], { env: { PATH: '' }, cwd: import.meta.dirname })
  await expect(nowhere).rejects.toThrow('bench start-up measures with bash, which is not in PATH: install it')
})
