/**
 * The name that was probably meant: the same in other letters, or the one that the fewest typing mistakes lead to.
 *
 * @returns Undefined where none is near.
 */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const given = text.toLowerCase()
  const [best] = names
    .map((name) => ({ name, mistakes: editDistance(given, name.toLowerCase()) }))
    .toSorted((a, b) => a.mistakes - b.mistakes)
  return best && best.mistakes <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined
}

/** `did you mean 'KpiStale'? ` where one is near, before what else there is. */
export function suggestion(text: string, names: readonly string[]): string {
  const near = nearest(text, names)
  return near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?`
}

/** Letters to insert, remove or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (letter === b[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
