/**
 * Finds the name that was probably meant: the same except for case, or the one with the fewest typing mistakes.
 *
 * @returns Undefined if none is close.
 */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const given = text.toLowerCase()
  const [best] = names
    .map((name) => ({ name, mistakes: editDistance(given, name.toLowerCase()) }))
    .toSorted((a, b) => a.mistakes - b.mistakes)
  return best && best.mistakes <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined
}

/** `did you mean 'KpiStale'? ` if a name is close; an empty string otherwise. Put it before the rest of the hint. */
export function suggestion(text: string, names: readonly string[]): string {
  const near = nearest(text, names)
  return near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?`
}

/** How many letters to insert, remove or replace (Levenshtein distance). */
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
