#!/usr/bin/env -S node --max-semi-space-size=2
// @ts-check
// Finds the program (the sources in a clone, their build in an installed package) and a Node that can run it.
// Plain JavaScript without dependencies: it has to work on a Node that is too old for everything else.
//
// A small young generation (the flag above; scripts/run.mjs and every child inherit it) keeps a worker small.
// docs/performance.md has the figures.
import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { onParentGone, runChild } from './run-child.js'

const oldestNode = { major: 24, minor: 6 }
/** As in the first line. */
const nodeFlags = ['--max-semi-space-size=2']
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const sources = join(root, 'src', 'cli', 'main.ts')
const built = join(root, 'dist', 'cli', 'main.js')

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldestNode.major || (major === oldestNode.major && minor >= oldestNode.minor)
}

/** The Node that the npm package `node` brought, in a clone or next to an installed package. */
function pinnedNode() {
  try {
    const about = module.createRequire(import.meta.url).resolve('node/package.json')
    const { version } = JSON.parse(readFileSync(about, 'utf8'))
    const node = join(dirname(about), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return isNewEnough(version) && existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}

/** Made by scripts/kafka-protocol.mjs: in a clone after its packages are installed. */
const generated = join(root, 'generated', 'kafka-protocol.js')

const isClone = existsSync(sources)
const program = isClone ? sources : built
const missing = [program, generated].find((file) => !existsSync(file))
if (missing !== undefined) {
  const remedy = isClone ? 'run `npm ci` here' : 'install it again'
  process.stderr.write(`market-kpi: this installation is incomplete: there is no ${missing}; ${remedy}\n`)
  process.exitCode = 1
} else if (isNewEnough(process.versions.node)) {
  onParentGone(() => process.kill(process.pid, 'SIGTERM'))
  // A command starts in half the time when its modules were compiled before.
  module.enableCompileCache?.()
  await import(pathToFileURL(program).href)
} else {
  const node = pinnedNode()
  if (node !== undefined) {
    process.exitCode = await runChild(node, [...nodeFlags, fileURLToPath(import.meta.url), ...process.argv.slice(2)])
  } else {
    const needed = `${oldestNode.major}.${oldestNode.minor}`
    const hint = isClone
      ? 'run `npm ci` here, which brings one'
      : `run \`npm install node@${oldestNode.major}\` where you installed market-kpi (with -g where it is global), which then uses it, or get one from https://nodejs.org`
    process.stderr.write(`market-kpi: needs Node ${needed} or newer, this is ${process.versions.node}: ${hint}\n`)
    process.exitCode = 1
  }
}
