// Writes the pages that are made from the code. test/house/docs.test.ts notices when somebody forgot.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationPage } from './pages/configuration-page.ts'
import { metricsPage } from './pages/metrics-page.ts'

const pages = { 'configuration.md': configurationPage, 'metrics.md': metricsPage }
for (const [name, page] of Object.entries(pages)) {
  writeFileSync(join(import.meta.dirname, '..', 'docs', name), page())
  process.stdout.write(`docs/${name} written\n`)
}
