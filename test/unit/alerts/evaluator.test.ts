// Single evaluators and pairs, step by step; alert-simulation.test.ts does the same at random.
import { expect, it } from 'vitest'
import type { Signal } from '../../../src/alerts/signal.ts'
import {
  intervalMs,
  SimulatedDatabase,
  SimulatedEvaluator,
  SimulatedReceiver,
  SimulatedTime,
} from './simulated-alerting.ts'

class Desk {
  readonly time = new SimulatedTime()
  readonly database = new SimulatedDatabase()
  readonly receivers = [new SimulatedReceiver('one'), new SimulatedReceiver('two')] as const
  signals: Signal[] = []
  #ids = 0

  start(name = 'evaluator'): SimulatedEvaluator {
    const { time, database, receivers } = this
    return new SimulatedEvaluator({
      ...{ name, time, database, receivers },
      look: () => this.signals,
      newId: () => `id-${++this.#ids}`,
    })
  }

  async observations(count: number, ...evaluators: readonly SimulatedEvaluator[]): Promise<void> {
    for (let look = 0; look < count; look += 1) {
      for (const evaluator of evaluators) await evaluator.evaluate()
      await this.time.pass(intervalMs)
    }
  }

  /** `firing NoConsumer`, in the order in which a receiver heard it. */
  heard({ heard }: SimulatedReceiver): string[] {
    return heard.flatMap(({ notification }) =>
      notification.alerts.map(({ state, rule }) => `${notification.reason === 'repeat' ? 'repeat' : state} ${rule}`),
    )
  }
}

function trouble(rule: string, severity: Signal['severity'] = 'critical'): Signal {
  const base = { stage: 'consumer', labels: {}, summary: 'trouble', value: null, unit: null } as const
  return { ...base, rule, severity, isUnknown: false, inhibitedBy: null }
}

it('tells each receiver once that it begins, each hour that it goes on, and once that it is over', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  desk.signals = [trouble('TopicMissing')]
  await desk.observations(2 + (2 * 3_600_000) / intervalMs, evaluator)
  desk.signals = []
  await desk.observations(20, evaluator)
  for (const receiver of desk.receivers) {
    expect(desk.heard(receiver)).toEqual([
      'firing TopicMissing',
      'repeat TopicMissing',
      'repeat TopicMissing',
      'resolved TopicMissing',
    ])
  }
  expect(
    [...desk.database.episodes.values()].filter(({ state }) => state === 'firing').map(({ rule }) => rule),
  ).toEqual(['Watchdog'])
})

it('a receiver that refuses is itself told of, to the other one', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  const [one, two] = desk.receivers
  one.mood = 'refusing'
  desk.signals = [trouble('TopicMissing')]
  await desk.observations(4, evaluator)
  expect(desk.heard(two)).toEqual(['firing TopicMissing', 'firing NotifierFailing'])
  expect(desk.heard(one)).toEqual([])
  one.mood = 'well'
  desk.signals = []
  await desk.observations(4, evaluator)
  // It was never told of the beginning, so it is told of no end.
  expect(desk.heard(one)).toEqual([])
})

it('a receiver that is away for a minute is told of, and hears what is true when it is back', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  const [one, two] = desk.receivers
  one.mood = 'away'
  desk.signals = [trouble('TopicMissing')]
  await desk.observations(8, evaluator)
  expect(desk.heard(two)).toEqual(['firing TopicMissing', 'firing NotifierFailing'])
  desk.signals = []
  await desk.observations(4, evaluator)
  one.mood = 'well'
  await desk.observations(8, evaluator)
  expect(desk.heard(one)).toEqual(['firing TopicMissing', 'resolved TopicMissing'])
  expect(desk.heard(two).slice(2)).toEqual(['resolved TopicMissing', 'resolved NotifierFailing'])
})

it('an answer that was lost: the same notification comes again, and one end', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  const [one] = desk.receivers
  one.mood = 'lossy'
  desk.signals = [trouble('TopicMissing')]
  await desk.observations(3, evaluator)
  one.mood = 'well'
  await desk.observations(5, evaluator)
  const ids = new Set(one.heard.map(({ notification }) => notification.id))
  expect(one.heard.length).toBeGreaterThan(1)
  expect(ids.size).toBe(1)
})

it('two evaluators: one tells, the other takes over when it dies, and tells nothing again', async () => {
  const desk = new Desk()
  const [first, second] = [desk.start('first'), desk.start('second')]
  desk.signals = [trouble('TopicMissing')]
  await desk.observations(4, first, second)
  first.kill()
  await desk.observations(4, second)
  desk.signals = []
  await desk.observations(4, second)
  for (const receiver of desk.receivers) {
    expect(desk.heard(receiver)).toEqual(['firing TopicMissing', 'resolved TopicMissing'])
    expect(receiver.heard.map(({ notification }) => notification.source.evaluator)).toEqual(['first', 'second'])
  }
})

it('the database away: who led tells everything, the other one of the database alone', async () => {
  const desk = new Desk()
  const [first, second] = [desk.start('first'), desk.start('second')]
  await desk.observations(3, first, second)
  desk.database.goAway()
  desk.signals = [trouble('PostgresUnreachable'), trouble('TopicMissing')]
  await desk.observations(4, first, second)
  desk.database.isUp = true
  desk.signals = []
  await desk.observations(6, first, second)
  const [one] = desk.receivers
  const by = (name: string) => one.heard.filter(({ notification }) => notification.source.evaluator === name)
  expect(desk.heard({ ...one, heard: by('first') } as SimulatedReceiver).toSorted()).toEqual([
    'firing PostgresUnreachable',
    'firing TopicMissing',
    'resolved PostgresUnreachable',
    'resolved TopicMissing',
  ])
  expect(desk.heard({ ...one, heard: by('second') } as SimulatedReceiver)).toEqual([
    'firing PostgresUnreachable',
    'resolved PostgresUnreachable',
  ])
  const fingerprints = new Set(
    one.heard.flatMap(({ notification: { alerts } }) =>
      alerts.map(({ rule, fingerprint }) => `${rule} ${fingerprint}`),
    ),
  )
  expect(fingerprints.size).toBe(2)
})

it('keeps nothing of what is over: hours of flapping leave no episodes behind', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  for (let flap = 0; flap < 200; flap += 1) {
    desk.signals = flap % 4 === 0 ? [trouble('TopicMissing')] : []
    await desk.observations(1, evaluator)
  }
  const [one] = desk.receivers
  const heard = desk.heard(one)
  expect(heard.filter((line) => line.startsWith('firing')).length).toBe(50)
  expect(heard.filter((line) => line.startsWith('resolved')).length).toBe(50)
  expect(evaluator.evaluator.figures.firing).toEqual({ info: 0, warning: 0, critical: 0 })
})
