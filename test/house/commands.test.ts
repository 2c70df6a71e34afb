// The command line as a whole.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { files, read, root } from './tracked-files.ts'

function marketKpi(...args: string[]) {
  const launcher = join(root, 'bin', 'market-kpi.js')
  return spawnSync(process.execPath, [launcher, ...args], { cwd: root, encoding: 'utf8', timeout: 60_000 })
}

const help = marketKpi('--help').stdout
/** Names in the list of commands that a help text holds. */
const commandsIn = (text: string) =>
  [...(text.split(/^Commands:$/m)[1] ?? '').matchAll(/^ {2}([a-z][\w-]*)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help')
const commands = commandsIn(help)

it('every function of src/cli that registers a command is named in the table of commands', () => {
  const registering = files
    .filter((file) => /^src\/cli\/.*\.ts$/.test(file))
    .flatMap((file) =>
      [...read(file).matchAll(/^export function (register\w*)\(/gm)].map(
        ([, name = '']) => `import('./${file.slice('src/cli/'.length)}')).${name},`,
      ),
    )
  expect(registering.length).toBeGreaterThan(1)
  const table = read('src/cli/commands.ts')
  expect(registering.filter((load) => !table.includes(load))).toEqual([])
})

it('the README lists the commands, in the order of --help', () => {
  const listed = [...read('README.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name = '']) => name)
  expect(listed).toEqual(commands)
})

it.each([
  ['help health', 'health --help'],
  ['help alerts', 'alerts --help'],
  ['alerts help check', 'alerts check --help'],
  ['help', '--help'],
])('%s prints what %s does', (asked, same) => {
  const { status, stdout } = marketKpi(...asked.split(' '))
  expect({ status, stdout }).toEqual({ status: 0, stdout: marketKpi(...same.split(' ')).stdout })
})

describe.each(commands)('%s', (command) => {
  it('has --help', () => {
    const { status, stdout, stderr } = marketKpi(command, '--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^Usage: market-kpi ${command}\\b`))
    for (const option of ['--log-level', '--log-format']) expect(stdout).toContain(option)
  })

  it('says in one line that it does not know an option', () => {
    const { status, stdout, stderr } = marketKpi(command, '--nonsense')
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^[^\n]*--nonsense[^\n]*\n$/)
    expect(status).toBe(['verify', 'health'].includes(command) ? 3 : 2)
  })
})
