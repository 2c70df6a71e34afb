const zero = 0x30
const nine = 0x39
const minus = 0x2d
const point = 0x2e

/**
 * Copies a plain decimal number (`-187.150`) digit by digit, unchanged.
 *
 * @returns The end position in the target; -1 for anything else, which {@link jsonNumber} may still be able to read.
 */
export function copyPlainNumber(from: Buffer, start: number, end: number, into: Buffer, at: number): number {
  let i = start
  let to = at
  if (from[i] === minus) into[to++] = from[i++] ?? 0
  const first = from[i] ?? 0
  if (i >= end || first < zero || first > nine) return -1
  // JSON does not allow leading zeros.
  const wholeEnd = first === zero ? i + 1 : end
  for (; i < wholeEnd; i++) {
    const byte = from[i] ?? 0
    if (byte < zero || byte > nine) break
    into[to++] = byte
  }
  if (i === end) return to
  if (from[i] !== point || i + 1 === end) return -1
  into[to++] = point
  for (i += 1; i < end; i++) {
    const byte = from[i] ?? 0
    if (byte < zero || byte > nine) return -1
    into[to++] = byte
  }
  return to
}

const number = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/

/**
 * Converts a number to JSON and keeps its digits: `+.50e3` becomes `0.50e3`, `007` becomes `7`, `5.` becomes `5`.
 *
 * @returns undefined if the text is not a number.
 */
export function jsonNumber(text: string): string | undefined {
  const match = number.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match
  if (whole === '' && fraction === '') return undefined
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  return `${sign === '-' ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`
}

/** The separators in the numbers of a file. */
export interface NumberSigns {
  readonly decimal: '.' | ','
  /** Thousands separator. */
  readonly thousands: string | undefined
}

/** Non-breaking spaces, which many countries use as thousands separators. */
const blanks = /[\u00a0\u202f\u2009]/g

/**
 * Converts a number with the separators of its file to the decimal text that {@link jsonNumber} reads. Groups must
 * have three digits, or two before the last group in Indian notation. So with points as thousands separators,
 * `160.50` is not a number, rather than 16050.
 *
 * @returns undefined if the text is not a number.
 */
export function plainNumber(text: string, { decimal, thousands }: NumberSigns): string | undefined {
  const spaced = thousands === ' ' ? text.replace(blanks, ' ') : text
  const [whole = '', fraction, ...more] = spaced.split(decimal)
  if (more.length > 0 || (decimal === ',' && thousands !== '.' && spaced.includes('.'))) return undefined
  if (thousands !== undefined && fraction?.includes(thousands)) return undefined
  const joined = thousands === undefined ? whole : withoutGroups(whole, thousands)
  return joined === undefined ? undefined : fraction === undefined ? joined : `${joined}.${fraction}`
}

function withoutGroups(whole: string, thousands: string): string | undefined {
  const parts = whole.split(thousands)
  if (parts.length === 1) return whole
  const [first = '', ...rest] = parts
  const last = rest.pop() ?? ''
  const isGrouped = /^[+-]?\d{1,3}$/.test(first) && /^\d{3}$/.test(last)
  const isWestern = rest.every((part) => /^\d{3}$/.test(part))
  const isIndian = /^[+-]?\d{1,2}$/.test(first) && rest.every((part) => /^\d{2}$/.test(part))
  return isGrouped && (isWestern || isIndian) ? parts.join('') : undefined
}

const noVolume = /^(?:nan|n\/a|null|-)$/i

/** Whether the text of a volume means that there is none. */
export function isNoVolume(text: string): boolean {
  return noVolume.test(text)
}

/** Describes what is wrong with the text of a number, and what the user can do. */
export function numberProblem(field: string, excerpt: string, text: string, signs: NumberSigns | undefined): string {
  const start = `its ${field} ${excerpt} is no number`
  if (/^[+-]?[\d.,]+ ?(?:[kmbt]|bn|mn|mio|mrd)$/i.test(text))
    return `${start}: write it out in digits, without a suffix for thousands or millions`
  if (/[$\u20ac\u00a3\u00a5\u20b9]|^[A-Z]{3} ?[\d.,]+$|^[\d.,]+ ?[A-Z]{3}$/.test(text))
    return `${start}: leave out the currency`
  if (text.endsWith('%')) return `${start}: percentages are not read`
  if (signs === undefined && /^[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?$/.test(text))
    return `${start}: if its commas separate thousands say so with --thousands ,`
  if (signs === undefined && /^[+-]?\d{1,3}(\.\d{3})*,\d*$/.test(text))
    return `${start}: if its comma is a decimal sign say so with --decimal , (and --thousands . where points separate thousands)`
  if (signs !== undefined)
    return `${start} with --decimal ${signs.decimal}${signs.thousands === undefined ? '' : ` --thousands '${signs.thousands}'`}`
  return start
}
