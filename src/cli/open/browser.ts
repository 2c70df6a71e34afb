import { existsSync } from 'node:fs'
import open from 'open'

export interface Dependencies {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly isContainer: boolean
}

export function thisMachine(): Dependencies {
  const isContainer = ['/.dockerenv', '/run/.containerenv'].some((file) => existsSync(file))
  return { env: process.env, platform: process.platform, isContainer }
}

/** Why a browser cannot be opened on the user's screen; undefined if it can. */
export function browserObstacle({ env, platform, isContainer }: Dependencies): string | undefined {
  if (env.BROWSER) return undefined
  if (env.CI) return 'this is a CI job'
  if (env.SSH_CONNECTION || env.SSH_TTY) return 'this is a remote session'
  if (isContainer) return 'this is a container'
  const hasDisplay = platform !== 'linux' || env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME
  return hasDisplay ? undefined : 'there is no display'
}

/** @returns Whether the program that opens the browser was started. */
export async function showInBrowser(url: string): Promise<boolean> {
  try {
    const browser = await open(url)
    // Errors after the start are ignored.
    browser.on('error', () => undefined)
    return true
  } catch {
    return false
  }
}
