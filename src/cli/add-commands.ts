import type { Command } from 'commander'
import type { CommandEntry } from './commands.ts'

/** Adds commands by name and description. The rest of a command is loaded after commander has found its name. */
export function addCommands(parent: Command, entries: readonly CommandEntry[]): void {
  const loads = new Map<Command, () => Promise<void>>()
  for (const entry of entries) {
    const command = parent.command(entry.name).description(entry.description)
    if ('load' in entry) loads.set(command, async () => defineCommand(command, await entry.load()))
    else {
      addCommands(command, entry.commands)
      command.addHelpText('after', '\nEvery subcommand accepts --help, --log-level <level> and --log-format <format>.')
    }
  }
  parent.hook('preSubcommand', (_parent, command) => loads.get(command)?.())
  // Replaces commander's own help, which would show a command that is not loaded.
  parent
    .helpCommand(false)
    .command('help')
    .description('display help for command')
    .argument('[command]')
    .action(async (name: string | undefined) => {
      const command = parent.commands.find((one) => one.name() === name) ?? parent
      await loads.get(command)?.()
      command.help()
    })
}

async function defineCommand(command: Command, register: (command: Command) => void): Promise<void> {
  const { addSettingOptions } = await import('./command.ts')
  register(command)
  // Commander sets the defaults of --no-… options before it calls the hook, when the command has no options yet. So
  // they are set here.
  for (const option of command.options.filter(({ negate }) => negate)) {
    const name = option.attributeName()
    if (command.getOptionValue(name) === undefined) command.setOptionValueWithSource(name, true, 'default')
  }
  addSettingOptions(command, ['logLevel', 'logFormat'])
}
