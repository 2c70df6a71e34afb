import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identify } from '../../../src/process/process-identity.ts'
import { RunRecords } from '../../../src/process/run-records.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { idle, runScript } from './test-processes.ts'

let folder: ReturnType<typeof temporaryFolder>
let records: RunRecords
beforeEach(() => {
  folder = temporaryFolder()
  records = new RunRecords(folder.path)
})
afterEach(() => folder[Symbol.dispose]())

it('are none before anything ran', () => {
  expect(records.all()).toEqual([])
})

it('hold a child with its identity until it is removed, for its owner alone to read', () => {
  records.write('kafka', process.pid, 'java kafka.Kafka')
  expect(records.all()).toEqual([{ name: 'kafka', command: 'java kafka.Kafka', ...identify(process.pid) }])
  expect(statSync(join(folder.path, 'run', 'kafka.json')).mode & 0o777).toBe(0o600)
  records.remove('kafka', process.pid)
  expect(records.all()).toEqual([])
})

it('leave the record of a successor alone', async () => {
  await using successor = await runScript(idle)
  records.write('kafka', process.pid, 'first')
  records.write('kafka', successor.pid, 'second')
  records.remove('kafka', process.pid)
  expect(records.all()).toMatchObject([{ pid: successor.pid, command: 'second' }])
})

it('are not written for a child that has ended already', async () => {
  await using child = await runScript(idle)
  child.process.kill('SIGKILL')
  await child.ended
  records.write('kafka', child.pid, 'gone')
  expect(records.all()).toEqual([])
})

describe('what is no record', () => {
  it('is passed over', () => {
    mkdirSync(join(folder.path, 'run'))
    for (const [name, text] of Object.entries({ 'a.json': '', 'b.json': '{"name":"b","pid":"1"}', 'c.txt': 'x' })) {
      writeFileSync(join(folder.path, 'run', name), text)
    }
    records.write('kafka', process.pid, 'java')
    expect(records.all()).toMatchObject([{ name: 'kafka' }])
  })

  it('a half-written one never gets the name of one', () => {
    records.write('kafka', process.pid, 'java')
    expect(readdirSync(join(folder.path, 'run'))).toEqual(['kafka.json'])
  })
})
