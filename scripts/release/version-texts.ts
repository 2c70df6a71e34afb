// What a release changes in the files of the project, as text in, text out.

/** Why a release cannot be made, in one line. */
export class ReleaseProblem extends Error {}

const versionForm = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/
const unreleased = '## [Unreleased]\n'

/** @throws ReleaseProblem when `version` is not of the form X.Y.Z, or older than the current one. */
export function checkVersion(version: string, current: string): void {
  const wanted = versionForm.exec(version)?.slice(1).map(Number)
  if (wanted === undefined) throw new ReleaseProblem(`'${version}' is not a version: three numbers such as 1.4.0`)
  const known = versionForm.exec(current)?.slice(1).map(Number) ?? []
  const first = wanted.findIndex((part, index) => part !== known[index])
  if (first >= 0 && (wanted[first] ?? 0) < (known[first] ?? 0)) {
    throw new ReleaseProblem(`${version} is older than ${current}, the version in package.json`)
  }
}

/** package.json, or package-lock.json, with another version. */
export function withVersion(text: string, version: string): string {
  const manifest = JSON.parse(text) as { version: string; packages?: Record<string, { version?: string }> }
  manifest.version = version
  const own = manifest.packages?.['']
  if (own !== undefined) own.version = version
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

/**
 * The changelog, in which what was unreleased has become the section of a version.
 *
 * @param date - YYYY-MM-DD
 * @returns The new text, and the lines of that section for the tag.
 * @throws ReleaseProblem when nothing is listed as unreleased, or the version has a section already.
 */
export function withRelease(
  changelog: string,
  release: { version: string; date: string },
): { text: string; notes: string } {
  const { version, date } = release
  const start = changelog.indexOf(unreleased)
  if (start < 0) throw new ReleaseProblem(`CHANGELOG.md has no line '${unreleased.trim()}'`)
  if (changelog.includes(`\n## [${version}]`)) throw new ReleaseProblem(`CHANGELOG.md has a section ${version} already`)
  const after = changelog.slice(start + unreleased.length)
  const next = after.search(/^## /m)
  const notes = (next < 0 ? after : after.slice(0, next)).trim()
  if (!/^- /m.test(notes)) throw new ReleaseProblem('CHANGELOG.md lists nothing under [Unreleased]')
  const text = `${changelog.slice(0, start)}${unreleased}\n## [${version}] - ${date}\n${after}`
  return { text, notes }
}
