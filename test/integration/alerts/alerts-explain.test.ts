// `alerts explain` as a command: the page of each rule, and what there is where none is named.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ownRuleNames } from '../../../src/alerts/alert-rules.ts'
import { ruleNames } from '../../../src/observe/finding.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { alerts } from '../scenes/alerting.ts'
import { marketKpi } from '../scenes/processes.ts'

it('prints the page of a rule as a terminal shows it, whatever the case of its name', async () => {
  const { code, stdout, stderr } = await alerts({}, 'explain', 'kafkaUNREACHABLE')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^KAFKAUNREACHABLE\n\nWHAT IT MEANS\n\n/)
  expect(stdout).toMatch(/^ {4}market-kpi alerts silence KafkaUnreachable --for 1h/m)
  expect(stdout).not.toMatch(/```|\]\(/)
})

it('lists every rule with what it finds where none is named', async () => {
  const { code, stdout, stderr } = await alerts({}, 'explain')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const listed = stdout.split('\n').filter((line) => /^[A-Z]\w+ {2,}\S/.test(line))
  expect(listed.map((line) => line.split(' ')[0])).toEqual([...ruleNames, ...ownRuleNames])
})

it('takes a rule that there is not for a mistake, and names the nearest, or all', async () => {
  const near = await alerts({}, 'explain', 'KafkaUnreachible')
  expect(near).toEqual({
    code: 2,
    stdout: '',
    stderr:
      "there is no alert rule 'KafkaUnreachible': did you mean 'KafkaUnreachable'? ('market-kpi alerts explain' lists all)\n",
  })
  const far = await alerts({}, 'explain', 'xyz')
  expect(far.code).toBe(2)
  expect(far.stderr).toMatch(/^there is no alert rule 'xyz': there are KafkaUnreachable, .*, Watchdog\n$/)
})

it('prints a rule of market-kpi.yaml as it is evaluated', async () => {
  using folder = temporaryFolder()
  await writeFile(
    join(folder.path, 'market-kpi.yaml'),
    'alerts:\n  rules:\n    - name: BigMove\n      kpi: { measure: close_change_percent, within: 15m, above: 5 }\n',
  )
  const run = marketKpi(['alerts', 'explain', 'BigMove'], {}, folder.path)
  expect((await run.exited).code).toBe(0)
  expect(run.stdout()).toMatch(/^BigMove is a rule of market-kpi\.yaml:\n\n {4}name: BigMove\n/)
  expect(run.stdout()).toMatch(/^ {6}within: 900s$/m)
})
