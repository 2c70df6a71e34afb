import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Endpoints, removeEndpoints, writeEndpoints, writeShellEnvironment } from '../../../src/stack/endpoints.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { runScript } from '../process/test-processes.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder[Symbol.dispose]())

const path = (name: string) => join(folder.path, name)
const endpoints = (pid: number): Endpoints => ({
  pid,
  kafka: '127.0.0.1:19092',
  topic: 'market-prices',
  group: 'market-kpi-processor',
  postgres: 'postgresql://owner:secret@127.0.0.1:15432/bi_realtime',
  workers: ['http://127.0.0.1:9464'],
  pids: { kafka: 2, postgres: 3, workers: [4] },
})

it('is JSON that its owner alone may read, whoever could read it before', () => {
  writeFileSync(path('endpoints.json'), 'old', { mode: 0o644 })
  writeFileSync(path('endpoints.json.new'), 'left by one that was killed', { mode: 0o644 })
  writeEndpoints(folder.path, endpoints(1))
  expect(JSON.parse(readFileSync(path('endpoints.json'), 'utf8'))).toEqual(endpoints(1))
  expect(statSync(path('endpoints.json')).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder.path)).toEqual(['endpoints.json'])
})

it('is whole at every moment, however often it is replaced', async () => {
  writeEndpoints(folder.path, endpoints(0))
  const file = JSON.stringify(path('endpoints.json'))
  await using reader = await runScript(`
    import { readFileSync } from 'node:fs'
    console.log('reading')
    const seen = new Set()
    while (seen.size < 5) seen.add(JSON.parse(readFileSync(${file}, 'utf8')).pid)
    process.exit(7)`)
  let pid = 0
  while (reader.process.exitCode === null) {
    for (let n = 0; n < 50; n++) writeEndpoints(folder.path, endpoints(++pid))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(reader.process.exitCode).toBe(7)
})

it('stands beside what a shell can take over, whatever is in it', () => {
  const variables = { DATABASE_URL: 'postgresql://o\'wner:$HOME`x`"@h/d', EMPTY: '' }
  writeShellEnvironment(folder.path, variables)
  expect(statSync(path('env')).mode & 0o777).toBe(0o600)
  const { stdout } = spawnSync('sh', ['-c', `. '${path('env')}'; printf '%s|%s' "$DATABASE_URL" "$EMPTY"`])
  expect(String(stdout)).toBe(`${variables.DATABASE_URL}|`)
})

it('is gone when the stack is', () => {
  writeEndpoints(folder.path, endpoints(1))
  writeShellEnvironment(folder.path, {})
  removeEndpoints(folder.path)
  removeEndpoints(folder.path)
  expect(existsSync(path('endpoints.json')) || existsSync(path('env'))).toBe(false)
})
