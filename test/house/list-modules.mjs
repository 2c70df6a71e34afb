// @ts-check
// Given to Node with --import: when the process ends, writes the addresses of all modules that it loaded to the file
// that MODULE_LIST names, a line each.
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

/** @type {string[]} */
const loaded = []
registerHooks({
  load(url, context, next) {
    loaded.push(url)
    return next(url, context)
  },
})
process.once('exit', () => writeFileSync(process.env.MODULE_LIST ?? '', loaded.join('\n')))
