// Rejected messages: whatever they hold, they stand in dead_letters, once, and stop nothing.
import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import type { DeadLetter } from '../../../src/store/windows/commit.ts'
import { StoreScene } from '../scenes/store-scene.ts'

interface LetterRow {
  readonly message_offset: number
  readonly reason: string
  readonly detail: string
  readonly payload: Buffer | null
  readonly key: Buffer | null
  readonly at: number | null
}

async function lettersOf(scene: StoreScene): Promise<LetterRow[]> {
  return scene.owner.query<LetterRow>({
    text: `SELECT message_offset, reason, detail, payload, key,
        (extract(epoch FROM message_timestamp) * 1000)::bigint AS at
      FROM dead_letters ORDER BY partition, message_offset`,
  })
}

function letter(offset: number, rest: Partial<DeadLetter> = {}): DeadLetter {
  return { partition: 0, offset, reason: 'not_json', detail: 'x', payload: null, key: null, timestampMs: null, ...rest }
}

async function reject(scene: StoreScene, letters: readonly DeadLetter[]): Promise<void> {
  const worker = await scene.worker()
  await scene.commit(worker, [{ partition: 0, from: 0, rejected: letters.length }], [], letters)
}

it('bytes and texts come back as they were, but for what PostgreSQL’s text cannot hold', async () => {
  await using scene = await StoreScene.open()
  const payloads = [Buffer.alloc(0), Buffer.from([0, 1, 255, 0]), randomBytes(65_536), Buffer.from('{"a":"\\"}'), null]
  const details = ['', 'NULL', 'a\0b\0', '"\\{},\' $1 %s', '\u{1F4C8} \uD800 é\n', 'x'.repeat(10_000)]
  const letters = [
    ...payloads.map((payload, i) => letter(i, { payload, key: payload })),
    ...details.map((detail, i) => letter(payloads.length + i, { detail })),
  ]
  await reject(scene, letters)
  const found = await lettersOf(scene)
  expect(found.slice(0, payloads.length).map(({ payload, key }) => [payload, key])).toEqual(payloads.map((p) => [p, p]))
  expect(found.slice(payloads.length).map(({ detail }) => detail)).toEqual([
    '',
    'NULL',
    'a\uFFFDb\uFFFD',
    '"\\{},\' $1 %s',
    '\u{1F4C8} \uFFFD é\n',
    'x'.repeat(10_000),
  ])
})

it('timestamps that PostgreSQL cannot hold, or that are none, are left out', async () => {
  await using scene = await StoreScene.open()
  const last = 253_402_300_799_999
  const timestamps = [0, 1_771_079_400_123, last, last + 1, -1, -(2 ** 63), 2 ** 63, 1e18, null]
  await reject(
    scene,
    timestamps.map((timestampMs, i) => letter(i, { timestampMs })),
  )
  expect((await lettersOf(scene)).map(({ at }) => at)).toEqual([
    ...timestamps.slice(0, 3),
    ...timestamps.slice(3).map(() => null),
  ])
})

it('the same letter twice would be a message counted twice, and is refused with its batch', async () => {
  await using scene = await StoreScene.open()
  await reject(scene, [letter(0), letter(1)])
  const worker = await scene.worker()
  const again = scene.commit(worker, [{ partition: 0, from: 2, rejected: 1 }], [], [letter(1)])
  await expect(again).rejects.toMatchObject({ code: 'KPI_POSTGRES_QUERY', retryable: false })
  expect(await scene.counters()).toContainEqual([2, 0, 2, 0])
  expect(await scene.count('dead_letters')).toBe(2)
})

it('a flood of letters goes in one batch', async () => {
  await using scene = await StoreScene.open()
  await reject(
    scene,
    Array.from({ length: 20_000 }, (_, i) => letter(i, { payload: Buffer.alloc(i < 200 ? 65_536 : 0, i) })),
  )
  expect(await scene.count('dead_letters')).toBe(20_000)
})
