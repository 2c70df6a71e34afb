import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KpiError } from '../../../../src/errors.ts'
import { GroupOwnership } from '../../../../src/kafka/group/group-ownership.ts'
import { createLogger } from '../../../../src/log.ts'

const deadlineMs = 1000

/** An ownership whose listener writes down what it hears, and finishes a revocation when told to. */
function watched() {
  const heard: string[] = []
  const revocation = Promise.withResolvers<void>()
  const ownership = new GroupOwnership(
    {
      assigned: (partitions) => void heard.push(`assigned ${partitions.join()}`),
      revoked: (partitions, ms) => {
        heard.push(`revoked ${partitions.join()} within ${ms}`)
        return revocation.promise
      },
      lost: (partitions) => void heard.push(`lost ${partitions.join()}`),
      fatal: () => void heard.push('fatal'),
    },
    createLogger({ level: 'silent', format: 'json' }),
  )
  return { ownership, heard, revocation }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('GroupOwnership', () => {
  it('tells of a partition once, and of nothing when nothing is new', () => {
    const { ownership, heard } = watched()
    ownership.assign([2, 0])
    ownership.assign([0, 1, 2])
    ownership.assign([1])
    ownership.assign([])
    expect(heard).toEqual(['assigned 2,0', 'assigned 1'])
    expect(ownership.partitions).toEqual([0, 1, 2])
  })

  it('keeps partitions until the listener has finished with them', async () => {
    const { ownership, heard, revocation } = watched()
    ownership.assign([0, 1, 2])
    const revoked = ownership.revoke([1, 7], deadlineMs)
    expect(ownership.partitions).toEqual([0, 1, 2])
    revocation.resolve()
    expect(await revoked).toBe(true)
    expect(ownership.partitions).toEqual([0, 2])
    expect(heard).toEqual(['assigned 0,1,2', 'revoked 1 within 1000'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives them up after the deadline, finished or not', async () => {
    const { ownership } = watched()
    ownership.assign([0, 1])
    const revoked = ownership.revoke([0], deadlineMs)
    await vi.advanceTimersByTimeAsync(deadlineMs - 1)
    expect(ownership.partitions).toEqual([0, 1])
    await vi.advanceTimersByTimeAsync(1)
    expect(await revoked).toBe(true)
    expect(ownership.partitions).toEqual([1])
  })

  it('gives them up when the listener cannot finish', async () => {
    const { ownership, revocation } = watched()
    ownership.assign([0])
    const revoked = ownership.revoke([0], deadlineMs)
    revocation.reject(new KpiError('KPI_POSTGRES_UNREACHABLE', 'the database is away'))
    expect(await revoked).toBe(true)
    expect(ownership.partitions).toEqual([])
  })

  it('does not swallow a mistake of ours in the listener', async () => {
    const { ownership, revocation } = watched()
    ownership.assign([0])
    const revoked = ownership.revoke([0], deadlineMs)
    revocation.reject(new TypeError('a mistake'))
    await expect(revoked).rejects.toThrow('a mistake')
  })

  it('loses all at once, those on their way out too, and then forgets the revocation', async () => {
    const { ownership, heard, revocation } = watched()
    ownership.assign([0, 1])
    const revoked = ownership.revoke([1], deadlineMs)
    ownership.lose()
    ownership.lose()
    ownership.assign([1])
    revocation.resolve()
    expect(await revoked).toBe(false)
    expect(ownership.partitions).toEqual([1])
    expect(heard).toEqual(['assigned 0,1', 'revoked 1 within 1000', 'lost 0,1', 'assigned 1'])
  })

  it('says nothing after its end, and owns nothing', async () => {
    const { ownership, heard } = watched()
    ownership.assign([0])
    ownership.end()
    ownership.assign([1])
    ownership.lose()
    expect(await ownership.revoke([0], deadlineMs)).toBe(true)
    expect(ownership.partitions).toEqual([])
    expect(heard).toEqual(['assigned 0'])
  })
})
