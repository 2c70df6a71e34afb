import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { marketKpi } from '../../../integration/scenes/processes.ts'
import { until } from '../../../integration/scenes/until.ts'
import { temporaryFolder } from '../../../temporary-folder.ts'

let server: Server
let url: string

beforeEach(async () => {
  server = createServer((_, response) => response.writeHead(302, { location: '/login' }).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** Where no browser can be seen. */
async function open(args: readonly string[], env: Record<string, string> = {}) {
  const run = marketKpi(['open', ...args], { CI: '1', BROWSER: '', ...env })
  const { code } = await run.exited
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}

it('prints the address of Grafana', async () => {
  expect(await open(['grafana'], { GRAFANA_URL: url })).toEqual({ code: 0, stdout: `${url}\n`, stderr: '' })
})

it('says in one line that nothing answers there', async () => {
  const { code, stdout, stderr } = await open(['grafana'], { GRAFANA_URL: 'http://127.0.0.1:1' })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toBe('nothing answers at http://127.0.0.1:1: start Grafana, or name it in GRAFANA_URL\n')
})

it('refuses an address that is none', async () => {
  const { code, stderr } = await open(['grafana'], { GRAFANA_URL: '127.0.0.1:3000' })
  expect(code).toBe(2)
  expect(stderr).toMatch(/^GRAFANA_URL=127\.0\.0\.1:3000: must be http:[^\n]*\n$/)
})

it('starts the browser that is named, with the address', async () => {
  using folder = temporaryFolder()
  const shown = join(folder.path, 'shown')
  const browser = join(folder.path, 'browser')
  writeFileSync(browser, `#!/bin/sh\nprintf '%s' "$1" > ${shown}\n`)
  chmodSync(browser, 0o755)
  expect(await open(['grafana'], { GRAFANA_URL: url, BROWSER: browser })).toMatchObject({
    code: 0,
    stdout: `opened ${url}\n`,
  })
  await until(
    'shown',
    () => existsSync(shown) && readFileSync(shown, 'utf8'),
    (text) => text === url,
  )
})
