import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
let copy: string

function checkLayers(folder: string) {
  const script = join(root, 'scripts', 'check-layers.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' })
  return { status, out: stdout + stderr }
}

/** Puts a file into the copy and says what the check finds then. */
function plant(path: string, text: string): string {
  mkdirSync(dirname(join(copy, path)), { recursive: true })
  writeFileSync(join(copy, path), text)
  const { status, out } = checkLayers(copy)
  expect(status, out).toBe(1)
  return out
}

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'market-kpi-layers-'))
  for (const part of ['src', 'bin', 'package.json']) cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})

afterEach(() => rmSync(copy, { recursive: true, force: true }))

describe('the layer rule', () => {
  it('holds, and every source file was read', () => {
    const { status, out } = checkLayers(root)
    expect(out).toMatch(/^\d+ modules, \d+ imports, 0 violations$/m)
    expect(status).toBe(0)
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'))
    const [, modules = 0, imports = 0] = (/(\d+) modules, (\d+) imports/.exec(out) ?? []).map(Number)
    expect(modules).toBeGreaterThanOrEqual(files.length)
    expect(imports).toBeGreaterThan(files.length)
  })

  it('keeps the core free of settings', () => {
    const out = plant(
      'src/kpi/planted.ts',
      "import { settings } from '../config/settings.ts'\nexport const x = settings\n",
    )
    expect(out).toContain('kpi-is-pure: src/kpi/planted.ts → src/config/settings.ts')
  })

  it('keeps the core free of I/O', () => {
    const out = plant('src/kpi/planted.ts', "import { readFileSync } from 'node:fs'\nexport const x = readFileSync\n")
    expect(out).toMatch(/kpi-is-pure: src\/kpi\/planted\.ts → (node:)?fs/)
  })

  it('sees an import of nothing but a type', () => {
    const out = plant(
      'src/store/planted.ts',
      "import type { Stack } from '../embedded/stack.ts'\nexport type X = Stack\n",
    )
    expect(out).toContain('services-stay-below-features: src/store/planted.ts → src/stack/stack.ts')
  })

  it('keeps features apart', () => {
    const out = plant(
      'src/consumer/planted.ts',
      "import { findJava } from '../embedded/java.ts'\nexport const x = findJava\n",
    )
    expect(out).toContain('features-stay-apart: src/consumer/planted.ts → src/embedded/kafka/java.ts')
  })

  it('keeps Kafka and PostgreSQL apart', () => {
    const out = plant('src/kafka/planted.ts', "export { isTransient as x } from '../store/errors.ts'\n")
    expect(out).toContain('services-stay-apart: src/kafka/planted.ts → src/store/client/errors.ts')
  })

  it('lets nothing but cli know cli', () => {
    const out = plant('src/store/planted.ts', "export const x = () => import('../cli/up.ts')\n")
    expect(out).toContain('cli-on-top: src/store/planted.ts → src/cli/up.ts')
  })

  it('wants a place for each new folder', () => {
    const out = plant(
      'src/elsewhere/planted.ts',
      "import { KpiError } from '../errors.ts'\nexport const x = KpiError\n",
    )
    expect(out).toContain('known-layer: src/elsewhere/planted.ts')
  })

  it('refuses what the package would not install', () => {
    const out = plant('src/store/planted.ts', "import fc from 'fast-check'\nexport const x = fc\n")
    expect(out).toMatch(/^shipped-dependencies: src\/store\/planted\.ts → .*fast-check/m)
  })
})
