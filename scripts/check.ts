// The checks that need no running server: format, lint, types, layers, dead code. All run, also after one has failed;
// `npm run check -- lint types` runs only those.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ensureKafkaProtocol } from './kafka-protocol.mjs'

const root = join(import.meta.dirname, '..')
const modules = join(root, 'node_modules')
const checks: Record<string, readonly string[]> = {
  format: [join(modules, '@biomejs', 'biome', 'bin', 'biome'), 'format', '.'],
  lint: [
    join(modules, '@biomejs', 'biome', 'bin', 'biome'),
    'check',
    '--formatter-enabled=false',
    '--error-on-warnings',
    '.',
  ],
  types: [join(modules, 'typescript', 'bin', 'tsc'), '-p', '.'],
  layers: [join(root, 'scripts', 'check-layers.ts')],
  'dead-code': [join(modules, 'knip', 'bin', 'knip.js')],
}

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !(name in checks))
if (unknown !== undefined) {
  process.stderr.write(`check: no check is called '${unknown}'; there are ${Object.keys(checks).join(', ')}\n`)
  process.exit(2)
}
await ensureKafkaProtocol()
const failed: string[] = []
for (const [name, command] of Object.entries(checks)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  process.stdout.write(`== ${name}\n`)
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed.push(name)
  process.stdout.write(status === 0 ? `${name}: ok\n` : `${name}: FAILED\n`)
}
if (failed.length > 0) {
  process.stdout.write(`checks failed: ${failed.join(', ')}\n`)
  process.exitCode = 1
}
