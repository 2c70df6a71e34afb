import { Command } from 'commander'
import { expect, it } from 'vitest'
import { addCommands } from '../../../src/cli/add-commands.ts'

/** The options that a command has when it runs. */
async function optionsOf(...args: readonly string[]): Promise<Record<string, unknown>> {
  let found: Record<string, unknown> = {}
  const register = (command: Command) => {
    command
      .option('--no-alerts', 'turns off what is on')
      .option('--workers <n>', 'has a default', Number, 1)
      .action((options: Record<string, unknown>) => {
        found = options
      })
  }
  const program = new Command()
  const entry = { name: 'run', description: 'a command', load: async () => register }
  addCommands(program, [entry, { name: 'group', description: 'a group', commands: [entry] }])
  await program.parseAsync(args, { from: 'user' })
  return found
}

it.each([[['run']], [['group', 'run']]])(
  '%j has the defaults of its options, that of --no-… included',
  async (words) => {
    expect(await optionsOf(...words)).toMatchObject({ alerts: true, workers: 1 })
  },
)

it('takes what is given', async () => {
  expect(await optionsOf('run', '--no-alerts', '--workers', '2')).toMatchObject({ alerts: false, workers: 2 })
})
