// Text for cells of a terminal. What comes from outside (symbols, error messages) may hold anything: escape sequences
// would take the terminal over, and wide letters shift all that stands behind them.

const controls = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]+/gu
const escapes = new RegExp(
  `${String.fromCodePoint(27)}(\\[[0-?]*[ -/]*[@-~]|\\][^\\u0007\\u001b]*(\\u0007|\\u001b\\\\)?|.)?`,
  'gu',
)
const plainText = /^[ -~]*$/
const wide =
  /^(\p{Emoji_Presentation}|\p{Regional_Indicator}|.\uFE0F|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6])/u
const markOnly = /^\p{M}+$/u
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Without control characters, escape sequences and marks that change the direction of the text. One line. */
export function clean(text: string): string {
  if (plainText.test(text)) return text
  // A joiner holds the parts of one emoji together; by itself it does no harm, and its width is that of the first part.
  return text.replace(escapes, ' ').replace(controls, (found) => (found === '\u200D' ? found : ' '))
}

/** Cells that a clean text takes. */
export function widthOf(text: string): number {
  if (plainText.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment)
  return width
}

function graphemeWidth(grapheme: string): number {
  if (markOnly.test(grapheme)) return 0
  return wide.test(grapheme) ? 2 : 1
}

/** Exactly so many cells of a clean text: cut with `…`, filled with spaces at the right, or at the left for `right`. */
export function padTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = cutTo(text, width)
  const space = ' '.repeat(Math.max(0, width - widthOf(cut)))
  return align === 'right' ? space + cut : cut + space
}

/** At most so many cells; what is cut ends with `…`. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width <= 0) return ''
  let cut = ''
  let taken = 0
  for (const { segment } of segmenter.segment(text)) {
    taken += graphemeWidth(segment)
    if (taken > width - 1) break
    cut += segment
  }
  return `${cut}…`
}

/** Lines of at most so many cells, broken at spaces; the last of `maxLines` is cut. */
export function wrapTo(text: string, width: number, maxLines: number): string[] {
  const lines: string[] = []
  let line = ''
  const words = text.split(' ')
  for (const [index, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > width) {
      if (lines.length === maxLines - 1) return [...lines, cutTo([line, ...words.slice(index)].join(' '), width)]
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, cutTo(line, width)]
}
