import { expect, it } from 'vitest'
import { hasTexts, ruleTexts } from '../../../src/alerts/rule-texts.ts'
import { assess } from '../../../src/observe/assess.ts'
import { SnapshotHistory } from '../../../src/observe/history.ts'
import { scenarios } from '../export/scenarios.ts'
import { thresholds } from '../observe/scene.ts'

it.each(scenarios)(
  'labels of what is found are known, so that it can be silenced: $name',
  ({ snapshots, settings }) => {
    const history = new SnapshotHistory()
    const limits = thresholds(settings)
    const found = snapshots.flatMap((snapshot) => {
      history.add(snapshot)
      return assess(snapshot, history, limits, snapshot.takenAtMs).findings
    })
    for (const { rule, labels } of found) {
      const known = hasTexts(rule) ? ruleTexts[rule].labels : []
      expect(Object.keys(labels).filter((name) => !known.includes(name))).toEqual([])
    }
  },
)
