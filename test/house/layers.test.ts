import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'

const root = join(import.meta.dirname, '..', '..')

function checkLayers(folder: string) {
  const script = join(root, 'scripts', 'check-layers.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' })
  return { status, out: stdout + stderr }
}

it('the layer rules hold, and every source file was read', () => {
  const { status, out } = checkLayers(root)
  expect(out).toMatch(/^\d+ modules, \d+ imports, 0 violations$/m)
  expect(status).toBe(0)
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'))
  const [, modules = 0, imports = 0] = (/(\d+) modules, (\d+) imports/.exec(out) ?? []).map(Number)
  expect(modules).toBeGreaterThanOrEqual(files.length)
  expect(imports).toBeGreaterThan(files.length)
})

/** A file with one forbidden import, and what the check reports about it. */
const planted: Record<string, { file: string; text: string; reported: RegExp }> = {
  'the core imports settings': {
    file: 'src/kpi/planted-settings.ts',
    text: "export { settings as x } from '../config/settings.ts'\n",
    reported: /^kpi-is-pure: src\/kpi\/planted-settings\.ts → src\/config\/settings\.ts$/m,
  },
  'the core does I/O': {
    file: 'src/kpi/planted-io.ts',
    text: "export { readFileSync as x } from 'node:fs'\n",
    reported: /^kpi-is-pure: src\/kpi\/planted-io\.ts → (node:)?fs$/m,
  },
  'runtime imports settings': {
    file: 'src/runtime/planted.ts',
    text: "export { settings as x } from '../config/settings.ts'\n",
    reported: /^runtime-is-below-all-but-kpi: src\/runtime\/planted\.ts → src\/config\/settings\.ts$/m,
  },
  'PostgreSQL code imports a type of a feature': {
    file: 'src/store/planted-type.ts',
    text: "import type { StackOptions } from '../stack/stack.ts'\nexport type X = StackOptions\n",
    reported: /^resources-stay-below-features: src\/store\/planted-type\.ts → src\/stack\/stack\.ts$/m,
  },
  'a feature imports another': {
    file: 'src/consumer/planted.ts',
    text: "export { findJava as x } from '../embedded/kafka/java.ts'\n",
    reported: /^features-stay-apart: src\/consumer\/planted\.ts → src\/embedded\/kafka\/java\.ts$/m,
  },
  'a feature imports a service': {
    file: 'src/consumer/planted-service.ts',
    text: "export * from '../services/worker.ts'\n",
    reported: /^features-stay-below-services: src\/consumer\/planted-service\.ts → src\/services\/worker\.ts$/m,
  },
  'Kafka code imports PostgreSQL code': {
    file: 'src/kafka/planted.ts',
    text: "export { isTransient as x } from '../store/client/errors.ts'\n",
    reported: /^resources-stay-apart: src\/kafka\/planted\.ts → src\/store\/client\/errors\.ts$/m,
  },
  'something below cli imports a command, even when it runs only': {
    file: 'src/store/planted-command.ts',
    text: "export const x = () => import('../cli/up.ts')\n",
    reported: /^cli-on-top: src\/store\/planted-command\.ts → src\/cli\/up\.ts$/m,
  },
  'a folder has no place in the layers': {
    file: 'src/elsewhere/planted.ts',
    text: "export { KpiError as x } from '../errors.ts'\n",
    reported: /^known-layer: src\/elsewhere\/planted\.ts → /m,
  },
  'src imports what the package does not install': {
    file: 'src/store/planted-dependency.ts',
    text: "export { default as x } from 'fast-check'\n",
    reported: /^shipped-dependencies: src\/store\/planted-dependency\.ts → .*fast-check/m,
  },
}

describe('the layer check reports that', () => {
  let out: string

  beforeAll(() => {
    using copy = temporaryFolder()
    const into = (path: string) => join(copy.path, path)
    for (const part of ['src', 'bin', 'package.json']) cpSync(join(root, part), into(part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), into('node_modules'))
    for (const { file, text } of Object.values(planted)) {
      mkdirSync(dirname(into(file)), { recursive: true })
      writeFileSync(into(file), text)
    }
    const checked = checkLayers(copy.path)
    expect(checked.status, checked.out).toBe(1)
    out = checked.out
  })

  it.each(Object.entries(planted))('%s', (_, { reported }) => {
    expect(out).toMatch(reported)
  })
})
