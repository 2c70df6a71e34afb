import { Argument, type Command } from 'commander'
import { configure, withErrors } from './command.ts'
import { browserObstacle, showInBrowser, thisMachine } from './open/browser.ts'

const help = `
It only prints the address where no browser can be seen: in SSH sessions, containers and CI jobs, and without a display;
BROWSER names a program that is used all the same.

Environment:
  GRAFANA_URL   (default: http://127.0.0.1:3000)`

const answerTimeoutMs = 3000

export function register(command: Command): void {
  command
    .addArgument(new Argument('<what>', 'what to open').choices(['grafana']))
    .addHelpText('after', help)
    .action(withErrors((_what: 'grafana', _flags: unknown, self: Command) => openGrafana(self)))
}

/** @returns 1 if nothing listens at the address. */
async function openGrafana(command: Command): Promise<number> {
  const { config, log } = configure(command)
  const url = config.grafanaUrl
  if (!(await answers(url))) {
    process.stderr.write(`nothing answers at ${url}: start Grafana, or name it in GRAFANA_URL\n`)
    return 1
  }
  const obstacle = browserObstacle(thisMachine())
  if (obstacle !== undefined) log.debug(`no browser is opened: ${obstacle}`)
  const isShown = obstacle === undefined && (await showInBrowser(url))
  process.stdout.write(isShown ? `opened ${url}\n` : `${url}\n`)
  return 0
}

/** Whether anything responds. Any response counts, including a login page. */
async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(answerTimeoutMs) })
    await answer.body?.cancel()
    return true
  } catch {
    return false
  }
}
