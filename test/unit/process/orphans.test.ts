import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { takeDownOrphans } from '../../../src/process/orphans.ts'
import { identify } from '../../../src/process/process-identity.ts'
import { RunRecords } from '../../../src/process/run-records.ts'
import { RecordingLog } from '../../recording-log.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { idle, obedient, runScript, stubborn } from './test-processes.ts'

let folder: ReturnType<typeof temporaryFolder>
let records: RunRecords
let log: RecordingLog
beforeEach(() => {
  folder = temporaryFolder()
  records = new RunRecords(folder.path)
  log = new RecordingLog()
})
afterEach(() => folder[Symbol.dispose]())

const notesFile = () => join(folder.path, 'notes')
const notes = () => (existsSync(notesFile()) ? readFileSync(notesFile(), 'utf8').trimEnd().split('\n') : [])

it('end in the order of a regular stop, each by the signal it understands', async () => {
  await using children = new AsyncDisposableStack()
  const names = ['kafka', 'worker-1', 'postgres', 'feed']
  for (const name of names) {
    const child = children.use(await runScript(obedient, { NOTES: notesFile(), NAME: name }))
    records.write(name, child.pid, 'a test')
  }
  expect((await takeDownOrphans(records, log)).sort()).toEqual([...names].sort())
  expect(notes()).toEqual(['feed SIGTERM', 'worker-1 SIGTERM', 'postgres SIGINT', 'kafka SIGTERM'])
  expect(records.all()).toEqual([])
  expect(log.lines).toHaveLength(4)
  expect(log.lines[0]).toMatch(/^warn: feed \(pid \d+\) was left behind by an earlier run: stopping it$/)
})

it('that do not listen are killed after their deadline', async () => {
  await using child = await runScript(stubborn, { NOTES: notesFile() })
  records.write('feed', child.pid, 'a test')
  expect(await takeDownOrphans(records, log)).toEqual(['feed'])
  await child.ended
  expect(child.process.signalCode).toBe('SIGKILL')
  expect(notes()).toEqual(['SIGTERM'])
})

it('are not taken for a stranger who has their pid now', async () => {
  await using stranger = await runScript(idle)
  mkdirSync(join(folder.path, 'run'))
  const record = { name: 'kafka', pid: stranger.pid, startedAs: 'an-earlier-boot/1', command: 'java' }
  writeFileSync(join(folder.path, 'run', 'kafka.json'), JSON.stringify(record))
  expect(await takeDownOrphans(records, log)).toEqual([])
  expect(records.all()).toEqual([])
  expect(log.lines).toEqual([])
  expect(identify(stranger.pid)).toBeDefined()
})

it('that ended by themselves are only forgotten', async () => {
  await using child = await runScript(idle)
  records.write('worker-1', child.pid, 'a test')
  child.process.kill('SIGKILL')
  await child.ended
  expect(await takeDownOrphans(records, log)).toEqual([])
  expect(records.all()).toEqual([])
})
