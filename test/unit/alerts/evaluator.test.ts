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
      observe: () => this.signals,
      newId: () => `id-${++this.#ids}`,
    })
  }

  async observations(count: number, ...evaluators: readonly SimulatedEvaluator[]): Promise<void> {
    for (let observation = 0; observation < count; observation += 1) {
      for (const evaluator of evaluators) await evaluator.evaluate()
      await this.time.pass(intervalMs)
    }
  }

  /** `firing NoConsumer`, in the order in which a receiver got it. */
  received({ received }: SimulatedReceiver): string[] {
    return received.flatMap(({ notification }) =>
      notification.alerts.map(({ state, rule }) => `${notification.reason === 'repeat' ? 'repeat' : state} ${rule}`),
    )
  }
}

function signal(rule: string, severity: Signal['severity'] = 'critical'): Signal {
  const base = { stage: 'consumer', labels: {}, summary: 'trouble', value: null, unit: null } as const
  return { ...base, rule, severity, isUnknown: false, inhibitedBy: null }
}

it('sends to each receiver once that an alert fires, each hour that it still does, and once that it is resolved', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  desk.signals = [signal('TopicMissing')]
  await desk.observations(2 + (2 * 3_600_000) / intervalMs, evaluator)
  desk.signals = []
  await desk.observations(20, evaluator)
  for (const receiver of desk.receivers) {
    expect(desk.received(receiver)).toEqual([
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

it('a receiver that refuses is an alert, which the other receiver gets', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  const [one, two] = desk.receivers
  one.state = 'refusing'
  desk.signals = [signal('TopicMissing')]
  await desk.observations(4, evaluator)
  expect(desk.received(two)).toEqual(['firing TopicMissing', 'firing NotifierFailing'])
  expect(desk.received(one)).toEqual([])
  one.state = 'well'
  desk.signals = []
  await desk.observations(4, evaluator)
  // It never got the beginning, so it gets no end.
  expect(desk.received(one)).toEqual([])
})

it('a receiver that is down for a minute is an alert; once it is back it gets what is true then', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  const [one, two] = desk.receivers
  one.state = 'down'
  desk.signals = [signal('TopicMissing')]
  await desk.observations(8, evaluator)
  expect(desk.received(two)).toEqual(['firing TopicMissing', 'firing NotifierFailing'])
  desk.signals = []
  await desk.observations(4, evaluator)
  one.state = 'well'
  await desk.observations(8, evaluator)
  expect(desk.received(one)).toEqual(['firing TopicMissing', 'resolved TopicMissing'])
  expect(desk.received(two).slice(2)).toEqual(['resolved TopicMissing', 'resolved NotifierFailing'])
})

it('an answer that was lost: the same notification comes again, and one end', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  const [one] = desk.receivers
  one.state = 'lossy'
  desk.signals = [signal('TopicMissing')]
  await desk.observations(3, evaluator)
  one.state = 'well'
  await desk.observations(5, evaluator)
  const ids = new Set(one.received.map(({ notification }) => notification.id))
  expect(one.received.length).toBeGreaterThan(1)
  expect(ids.size).toBe(1)
})

it('two evaluators: one sends, the other takes over when it is killed, and sends nothing twice', async () => {
  const desk = new Desk()
  const [first, second] = [desk.start('first'), desk.start('second')]
  desk.signals = [signal('TopicMissing')]
  await desk.observations(4, first, second)
  first.kill()
  await desk.observations(4, second)
  desk.signals = []
  await desk.observations(4, second)
  for (const receiver of desk.receivers) {
    expect(desk.received(receiver)).toEqual(['firing TopicMissing', 'resolved TopicMissing'])
    expect(receiver.received.map(({ notification }) => notification.source.evaluator)).toEqual(['first', 'second'])
  }
})

it('the database is unavailable: the leader sends everything, the other one only that alert', async () => {
  const desk = new Desk()
  const [first, second] = [desk.start('first'), desk.start('second')]
  await desk.observations(3, first, second)
  desk.database.fail()
  desk.signals = [signal('PostgresUnreachable'), signal('TopicMissing')]
  await desk.observations(4, first, second)
  desk.database.isUp = true
  desk.signals = []
  await desk.observations(6, first, second)
  const [one] = desk.receivers
  const by = (name: string) => one.received.filter(({ notification }) => notification.source.evaluator === name)
  expect(desk.received({ ...one, received: by('first') } as SimulatedReceiver).toSorted()).toEqual([
    'firing PostgresUnreachable',
    'firing TopicMissing',
    'resolved PostgresUnreachable',
    'resolved TopicMissing',
  ])
  expect(desk.received({ ...one, received: by('second') } as SimulatedReceiver)).toEqual([
    'firing PostgresUnreachable',
    'resolved PostgresUnreachable',
  ])
  const fingerprints = new Set(
    one.received.flatMap(({ notification: { alerts } }) =>
      alerts.map(({ rule, fingerprint }) => `${rule} ${fingerprint}`),
    ),
  )
  expect(fingerprints.size).toBe(2)
})

it('keeps no resolved episodes: hours of flapping leave none behind', async () => {
  const desk = new Desk()
  const evaluator = desk.start()
  for (let flap = 0; flap < 200; flap += 1) {
    desk.signals = flap % 4 === 0 ? [signal('TopicMissing')] : []
    await desk.observations(1, evaluator)
  }
  const [one] = desk.receivers
  const heard = desk.received(one)
  expect(heard.filter((line) => line.startsWith('firing')).length).toBe(50)
  expect(heard.filter((line) => line.startsWith('resolved')).length).toBe(50)
  expect(evaluator.evaluator.figures.firing).toEqual({ info: 0, warning: 0, critical: 0 })
})
