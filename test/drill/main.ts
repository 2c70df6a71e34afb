// A real pipeline, one fault after the other, and what is told of it: npm run drill -- --help.

import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createLogger } from '../../src/log.ts'
import { exitOnSignals, makeTemporaryFolder } from '../../src/process/temporary-folder.ts'
import { UsageError } from '../number-option.ts'
import { tryFault } from './drill.ts'
import { type DrillOptions, parseOptions, usage } from './drill-options.ts'
import { type DrillReport, isGood, markdownOf } from './drill-report.ts'
import { checkHealthy, stayHealthy } from './healthy.ts'
import { paceAt } from './pace.ts'
import { killAllParts } from './part.ts'
import { Site } from './site.ts'

const args = process.argv.slice(2)
if (args.includes('--help')) process.stdout.write(usage)
else process.exitCode = await main()

async function main(): Promise<number> {
  let options: DrillOptions
  try {
    options = parseOptions(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`drill: ${error.message}\n`)
    return 2
  }
  const logsDir =
    options.logs === undefined ? mkdtempSync(join(tmpdir(), 'market-kpi-drill-logs-')) : resolve(options.logs)
  mkdirSync(logsDir, { recursive: true })
  const folder = makeTemporaryFolder('market-kpi-drill-')
  // Before the folder goes, which they write to.
  process.prependOnceListener('exit', killAllParts)
  exitOnSignals()
  const startedAtMs = performance.now()
  const say = (line: string) => {
    const text = `[${((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(7)} s] ${line}\n`
    process.stderr.write(text)
    appendFileSync(join(logsDir, 'drill.log'), text)
  }
  say(`logs in ${logsDir}`)
  const report = await drill(options, { folder, logsDir, say })
  process.stdout.write(markdownOf(report))
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
  return isGood(report) ? 0 : 1
}

async function drill(
  { scale, only, healthyMinutes }: DrillOptions,
  { folder, logsDir, say }: { folder: string; logsDir: string; say: (line: string) => void },
): Promise<DrillReport> {
  const pace = paceAt(scale)
  const log = createLogger({ level: 'warn', format: 'pretty' })
  const unasked: string[] = []
  const site = await Site.start({ folder, logsDir, log, pace, failed: (why) => unasked.push(why) })
  try {
    const healthyMisses = await checkHealthy(site)
    say(healthyMisses.length === 0 ? 'healthy: health and alerts check end with 0' : healthyMisses.join('\n'))
    const findings = []
    for (const name of only) findings.push(await tryFault(site, name, say))
    if (healthyMinutes > 0) {
      say(`healthy for ${healthyMinutes * scale} minutes`)
      healthyMisses.push(...(await stayHealthy(site, { minutes: healthyMinutes, scale })))
    }
    return {
      scale,
      intervalSeconds: pace.intervalSeconds,
      findings,
      healthyMinutes: healthyMinutes > 0 ? healthyMinutes * scale : null,
      healthyMisses: [...healthyMisses, ...unasked],
    }
  } finally {
    await site.stop()
  }
}
