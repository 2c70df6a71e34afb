// Text in terminal cells. Text from outside (symbols, error messages) may contain anything: escape sequences could
// control the terminal, and wide characters would shift everything to their right.

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

/**
 * Replaces escape sequences, control characters and marks that change the text direction with spaces. The result is one
 * line.
 */
export function clean(text: string): string {
  if (plainText.test(text)) return text
  // A zero-width joiner is kept, since it joins the parts of an emoji and is harmless alone. The emoji is as wide as
  // its first part.
  return text.replace(escapes, ' ').replace(controls, (found) => (found === '\u200D' ? found : ' '))
}

/** The width of a cleaned text in cells. */
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

/** A cleaned text in exactly `width` cells: cut with `…`, or padded with spaces; on the left if `align` is `right`. */
export function padTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = cutTo(text, width)
  const space = ' '.repeat(Math.max(0, width - widthOf(cut)))
  return align === 'right' ? space + cut : cut + space
}

/** A cleaned text in at most `width` cells; ends with `…` if it was cut. */
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

/**
 * Wraps a text at spaces into at most `maxLines` lines of `width` cells. The last one is cut if the text is too long.
 */
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
