// The command line as a whole.
import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
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

it('every file of src/cli that registers a command is wired', () => {
  const registering = files
    .filter((file) => /^src\/cli\/[^/]+\.ts$/.test(file) && /^export function register\(/m.test(read(file)))
    .map((file) => basename(file, '.ts'))
  expect(registering.length).toBeGreaterThan(1)
  expect(registering.filter((name) => !commands.includes(name))).toEqual([])
})

it('the README lists the commands, in the order of --help', () => {
  const listed = [...read('README.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name = '']) => name)
  expect(listed).toEqual(commands)
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
