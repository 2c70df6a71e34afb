// The launchers of Windows and their twins, the npm scripts: the same commands under both.
import { spawnSync } from 'node:child_process'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { files, read, root } from './tracked-files.ts'

/** What each starts, and whether it only reports: then its window stays open after a double click in any case. */
const launchers = {
  start_streaming: { script: 'start', command: 'up' },
  stop_streaming: { script: 'stop', command: 'down', reports: true },
  health_check: { script: 'health', command: 'health', reports: true },
  start_optimized_consumer: { script: 'consume', command: 'consume' },
  monitor: { script: 'monitor', command: 'monitor' },
  check_alerts: { script: 'alerts', command: 'alerts check', reports: true },
  open_grafana: { script: 'grafana', command: 'open' },
} as const satisfies Record<string, { script: string; command: string; reports?: true }>
type Launcher = { readonly script: string; readonly command: string; readonly reports?: true }
const all: [string, Launcher][] = Object.entries(launchers)

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

function content({ script, reports }: Launcher): string {
  const name = script === 'start' ? 'npm start' : `npm run ${script}`
  return `@echo off
rem ${name}, from a double click or a prompt in any folder.
setlocal
cd /d "%~dp0.."
set "double_clicked="
if not defined CI echo "%cmdcmdline:"=%" | findstr /i /l /c:"%~nx0" >nul && set "double_clicked=1"
node scripts\\run.mjs ${script} %*
set "code=%ERRORLEVEL%"
rem From a double click the window would close before anybody has read it.
if defined double_clicked ${reports ? '' : 'if not "%code%"=="0" '}pause
exit /b %code%
`
}

it('there are these, and no others', () => {
  const found = files.filter((file) => file.startsWith('windows/'))
  expect(found.map((file) => basename(file, '.bat')).sort()).toEqual(Object.keys(launchers).sort())
})

describe.each(all)('%s', (name, launcher) => {
  const { script, command } = launcher
  it('is thin: it goes to the project, runs the command, passes arguments and exit code on', () => {
    expect(read(`windows/${name}.bat`)).toBe(content(launcher).replaceAll('\n', '\r\n'))
  })

  it('has its twin in package.json, which runs the same', () => {
    expect(scripts[script]).toBe(`exec node scripts/run.mjs ${script}`)
    const { status, stdout } = spawnSync(process.execPath, ['scripts/run.mjs', script, '--help'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    expect(stdout).toMatch(new RegExp(`^Usage: market-kpi ${command}\\b`))
  })

  it('stands in the README, beside its twin', () => {
    const twin = script === 'start' ? 'npm start' : `npm run ${script}`
    expect(read('README.md')).toContain(`| \`windows\\${name}.bat\` | \`${twin}\` |`)
  })
})

it('git gives them the line ends of Windows everywhere', () => {
  expect(read('.gitattributes')).toMatch(/^\*\.bat text eol=crlf$/m)
})
