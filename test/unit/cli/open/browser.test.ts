import { expect, it } from 'vitest'
import { browserObstacle, type Dependencies } from '../../../../src/cli/open/browser.ts'

const desktop: Dependencies = { env: { DISPLAY: ':0' }, platform: 'linux', isContainer: false }

it.each([
  ['a desktop', desktop, undefined],
  ['a desktop with Wayland', { ...desktop, env: { WAYLAND_DISPLAY: 'wayland-0' } }, undefined],
  ['Windows', { ...desktop, env: {}, platform: 'win32' }, undefined],
  ['macOS', { ...desktop, env: {}, platform: 'darwin' }, undefined],
  ['Linux below Windows', { ...desktop, env: { WSL_DISTRO_NAME: 'Debian' } }, undefined],
  ['a server', { ...desktop, env: {} }, 'there is no display'],
  [
    'SSH with a display of its own',
    { ...desktop, env: { DISPLAY: ':10', SSH_CONNECTION: 'x' } },
    'this is a remote session',
  ],
  ['a container', { ...desktop, isContainer: true }, 'this is a container'],
  ['CI', { ...desktop, env: { ...desktop.env, CI: 'true' } }, 'this is a CI job'],
  [
    'a container where somebody named a browser',
    { env: { BROWSER: 'lynx' }, platform: 'linux', isContainer: true },
    undefined,
  ],
] satisfies [string, Dependencies, string | undefined][])('%s', (_where, surroundings, obstacle) => {
  expect(browserObstacle(surroundings)).toBe(obstacle)
})
