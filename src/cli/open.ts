import { Argument, type Command } from 'commander'
import type { Config } from '../config/load.ts'
import { defaultDataDir } from '../stack/data-dir.ts'
import { readEndpoints } from '../stack/endpoints.ts'
import { configure, withErrors } from './command.ts'
import { browserObstacle, showInBrowser, thisMachine } from './open/browser.ts'

const help = `
It only prints the address where no browser can be seen: in SSH sessions, containers and CI jobs, and without a display;
BROWSER names a program that is used all the same.

Environment:
  DASHBOARD_URL   (default: the dashboard of the 'up' in --data-dir, else http://127.0.0.1:8080)
  GRAFANA_URL     (default: http://127.0.0.1:3000)`

const usualDashboard = 'http://127.0.0.1:8080'
const answerTimeoutMs = 3000

export function register(command: Command): void {
  command
    .addArgument(new Argument('<what>', 'what to open').choices(['dashboard', 'grafana']))
    .option('--data-dir <dir>', 'the data directory of the `up` whose dashboard it is', defaultDataDir)
    .addHelpText('after', help)
    .action(withErrors((what: 'dashboard' | 'grafana', _flags: unknown, self: Command) => openPage(what, self)))
}

/** @returns 1 when nothing listens there. */
async function openPage(what: 'dashboard' | 'grafana', command: Command): Promise<number> {
  const { config, log } = configure(command)
  const { dataDir } = command.opts<{ dataDir: string }>()
  const url = what === 'grafana' ? config.grafanaUrl : dashboardUrl(config, dataDir)
  if (!(await answers(url))) {
    process.stderr.write(`nothing answers at ${url}: ${remedies[what]}\n`)
    return 1
  }
  const obstacle = browserObstacle(thisMachine())
  if (obstacle !== undefined) log.debug(`no browser is opened: ${obstacle}`)
  const isShown = obstacle === undefined && (await showInBrowser(url))
  process.stdout.write(isShown ? `opened ${url}\n` : `${url}\n`)
  return 0
}

const remedies = {
  dashboard: "start it with 'market-kpi up' or 'market-kpi dashboard', or name it in DASHBOARD_URL",
  grafana: 'start Grafana, or name it in GRAFANA_URL',
}

/** Whatever it answers, a page for a login too. */
async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(answerTimeoutMs) })
    await answer.body?.cancel()
    return true
  } catch {
    return false
  }
}

function dashboardUrl({ dashboardUrl: named }: Config, dataDir: string): string {
  return named ?? endpointsDashboard(dataDir) ?? usualDashboard
}

/** Undefined where no `up` runs there, or one without a dashboard. */
function endpointsDashboard(dataDir: string): string | undefined {
  try {
    return readEndpoints(dataDir)?.dashboard
  } catch {
    // Another user's.
    return undefined
  }
}
