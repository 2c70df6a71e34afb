// Writes the pages that are made from the code. test/house/docs.test.ts notices when somebody forgot.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationPage } from './configuration-page.ts'

const path = join('docs', 'configuration.md')
writeFileSync(join(import.meta.dirname, '..', path), configurationPage())
process.stdout.write(`${path} written\n`)
