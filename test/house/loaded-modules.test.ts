// What a command loads is what it waits for: docs/decisions/0028-start-up-time.md.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { root } from './tracked-files.ts'

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())

/** The packages and the folders of src that a command loads modules of. */
function loadedBy(command: string): { packages: Set<string>; folders: Set<string> } {
  const list = join(folder.path, 'modules')
  const preload = pathToFileURL(join(root, 'test', 'house', 'list-modules.mjs')).href
  const args = ['--import', preload, join(root, 'bin', 'market-kpi.js'), ...command.split(' ').filter(Boolean)]
  const { error, stderr } = spawnSync(process.execPath, args, {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? '', HOME: folder.path, MODULE_LIST: list, ...noServers },
    encoding: 'utf8',
    timeout: 120_000,
  })
  expect(error, stderr).toBeUndefined()
  const urls = readFileSync(list, 'utf8').split('\n')
  expect(urls.some((url) => url.endsWith('/src/cli/main.ts'))).toBe(true)
  const named = (pattern: RegExp) => new Set(urls.flatMap((url) => pattern.exec(url)?.slice(1) ?? []))
  return { packages: named(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/), folders: named(/\/src\/([\w-]+)\//) }
}

/** Nobody listens there. */
const noServers = {
  KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1',
  DATABASE_URL: 'postgresql://nobody:x@127.0.0.1:1/nothing',
  POSTGRES_SSLMODE: 'disable',
}

it.each(['--version', '--help', 'alerts --help', 'nonsense'])(
  '%s loads nothing but the names of the commands',
  (command) => {
    const { packages, folders } = loadedBy(command)
    expect([...packages]).toEqual(['commander'])
    expect([...folders]).toEqual(['cli'])
  },
)

/** Packages that take long to load. */
const heavy = [
  '@grafana/grafana-foundation-sdk',
  '@platformatic/kafka',
  'ajv',
  'ink',
  'nodemailer',
  'pino-pretty',
  'prom-client',
  'react',
  'yaml',
]

/** Those of them that a command needs for what it prints. */
it.each([
  ['down --data-dir nowhere', []],
  ['export prometheus-rules', ['yaml']],
  ['export config-schema', []],
  ['export grafana --out grafana', ['@grafana/grafana-foundation-sdk', 'yaml']],
  ['health', []],
  ['alerts check', []],
  ['offsets show', []],
  ['monitor --once', []],
] as const)('%s loads only the heavy packages that it needs: %j', (command, needed) => {
  const { packages } = loadedBy(command)
  expect(heavy.filter((name) => packages.has(name))).toEqual(needed)
})

it.each(['down --data-dir nowhere', 'export config-schema'])(
  '%s, which asks no server, loads nothing of src/kafka',
  (command) => expect([...loadedBy(command).folders]).not.toContain('kafka'),
)
