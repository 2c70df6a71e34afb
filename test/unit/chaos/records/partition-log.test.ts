import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createRecordsBatch } from '#kafka-protocol'
import { readPartitionLog } from '../../../chaos/records/partition-log.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

const attributesAt = 21
const controlBit = 0x20

interface Batch {
  readonly first: number
  readonly values: readonly string[]
  readonly transactionOf?: bigint
  /** A marker: of the transaction of this producer. */
  readonly ends?: 'commit' | 'abort'
}

/** As it stands in a segment's file. */
function bytesOf({ first, values, transactionOf, ends }: Batch): Buffer {
  const type = Buffer.from([0, 0, 0, ends === 'commit' ? 1 : 0])
  const messages = values.map((value) => ({
    topic: 't',
    value: Buffer.from(value),
    ...(ends ? { key: type } : {}),
    headers: new Map([[Buffer.from('name'), Buffer.from(`n/${value}`)]]),
  }))
  const options =
    transactionOf === undefined ? {} : { transactionalId: 'x', producerId: transactionOf, producerEpoch: 0 }
  const bytes = Buffer.from(
    createRecordsBatch(messages, { compression: 'none', ...options, partitionLeaderEpoch: 3 }).buffer,
  )
  bytes.writeBigInt64BE(BigInt(first), 0)
  if (ends) bytes.writeInt16BE(bytes.readInt16BE(attributesAt) | controlBit, attributesAt)
  return bytes
}

it('reads the log from an offset on, across segments, without what is not whole yet', () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 't-0'))
  const segment = (base: number) => join(folder.path, 't-0', `${String(base).padStart(20, '0')}.log`)
  writeFileSync(segment(0), bytesOf({ first: 0, values: ['a', 'b'] }))
  appendFileSync(segment(0), bytesOf({ first: 2, values: ['c'] }))
  writeFileSync(segment(3), bytesOf({ first: 3, values: ['d'] }))
  appendFileSync(segment(3), bytesOf({ first: 4, values: ['e'] }).subarray(0, -1))
  const entry = { epoch: 3, kind: 'message' }
  const all = ['a', 'b', 'c', 'd'].map((value, offset) => ({ ...entry, offset, value, name: `n/${value}` }))
  for (let from = 0; from <= 4; from++) expect(readPartitionLog(folder.path, 't', 0, from)).toEqual(all.slice(from))
})

it('knows of each message whether its transaction was committed', () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 't-0'))
  const batches: Batch[] = [
    { first: 0, values: ['a'], transactionOf: 7n },
    { first: 1, values: ['b'], transactionOf: 8n },
    { first: 2, values: ['c'] },
    { first: 3, values: [''], transactionOf: 7n, ends: 'commit' },
    { first: 4, values: ['d'], transactionOf: 7n },
    { first: 5, values: [''], transactionOf: 8n, ends: 'abort' },
    { first: 6, values: [''], transactionOf: 7n, ends: 'abort' },
    { first: 7, values: ['e'], transactionOf: 7n },
  ]
  writeFileSync(join(folder.path, 't-0', `${'0'.repeat(20)}.log`), Buffer.concat(batches.map(bytesOf)))
  const kinds = readPartitionLog(folder.path, 't', 0, 0).map(({ kind, value }) => `${value} ${kind}`)
  expect(kinds).toEqual([
    ...['a message', 'b aborted', 'c message', ' marker'],
    ...['d aborted', ' marker', ' marker', 'e open'],
  ])
})
