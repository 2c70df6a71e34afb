/**
 * Renders a page of docs/alerts for a terminal: headings in capitals, code indented, and links to other pages
 * replaced by the commands or files that have their text. Other Markdown is readable as it is.
 */
export function pageText(markdown: string): string {
  const lines: string[] = []
  let isCode = false
  for (const line of markdown.trimEnd().split('\n')) {
    if (line.startsWith('```')) isCode = !isCode
    else if (isCode) lines.push(line === '' ? '' : `    ${line}`)
    else lines.push(withPlainLinks(line.replace(/^#+ (.*)$/, (_, title: string) => title.toUpperCase())))
  }
  return `${lines.join('\n')}\n`
}

function withPlainLinks(line: string): string {
  return line.replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, text: string, target: string) => {
    const [page = ''] = target.split('#')
    if (page === '' || `${text}.md` === page) return text
    return page.startsWith('../') ? `${text} (docs/${page.slice(3)})` : `${text} (${page})`
  })
}
