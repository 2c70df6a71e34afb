/** The page that says what to do about an alert of this rule: an address where one is set, a file of this repository else. */
export function runbookUrl(baseUrl: string | undefined, rule: string): string {
  return `${(baseUrl ?? 'docs/alerts').replace(/\/+$/, '')}/${encodeURIComponent(rule)}.md`
}
