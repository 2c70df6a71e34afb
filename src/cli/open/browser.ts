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

/** Why no browser can be opened where somebody would see it; undefined where one can. */
export function browserObstacle({ env, platform, isContainer }: Dependencies): string | undefined {
  if (env.BROWSER) return undefined
  if (env.CI) return 'this is a CI job'
  if (env.SSH_CONNECTION || env.SSH_TTY) return 'this is a remote session'
  if (isContainer) return 'this is a container'
  const hasDisplay = platform !== 'linux' || env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME
  return hasDisplay ? undefined : 'there is no display'
}

/** @returns Whether a program was started to show it. */
export async function showInBrowser(url: string): Promise<boolean> {
  try {
    const browser = await open(url)
    // What comes of it later is between the browser and whoever looks at it.
    browser.on('error', () => undefined)
    return true
  } catch {
    return false
  }
}
