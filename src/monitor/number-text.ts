import { grouped } from '../runtime/number-text.ts'

/** `12 s`, `3 min`, `5 h`, `2 d`: at most seven cells (`119 min`). */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 120) return `${whole} s`
  if (whole < 7200) return `${Math.floor(whole / 60)} min`
  return whole < 172_800 ? `${Math.floor(whole / 3600)} h` : `${Math.floor(whole / 86_400)} d`
}

export function percentText(percent: number): string {
  if (percent === 0 || percent >= 10) return `${Number(percent.toFixed(1))} %`
  return `${Number(percent.toPrecision(2))} %`
}

/** `0.4/s`, `1,234/s`. */
export function rateText(perSecond: number): string {
  return `${perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : grouped(perSecond)}/s`
}

/** `812`, `1.23M`: at most seven cells. */
export function shortNumber(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude >= 1e15) return value.toExponential(1).replace('+', '')
  const [, letter, size] = scales.find(([from]) => magnitude >= from) ?? ([0, '', 1] as const)
  const scaled = value / size
  const digits = Math.abs(scaled) >= 99.95 ? 0 : Math.abs(scaled) >= 9.995 ? 1 : 2
  return `${Number(scaled.toFixed(digits))}${letter}`
}

const scales = [
  [999.95e9, 'T', 1e12],
  [999.95e6, 'B', 1e9],
  [999.95e3, 'M', 1e6],
  [9_999.5, 'k', 1e3],
] as const

/** Removes trailing zeros after the decimal point. */
export function trimmed(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}

/** A price in at most `width` cells, with as many digits as fit. */
export function priceText(decimal: string, width: number): string {
  if (decimal.length <= width) return decimal
  const value = Number(decimal)
  const whole = String(Math.trunc(value)).length + (value < 0 && value > -1 ? 1 : 0)
  if (whole > width) return value.toExponential(Math.max(0, width - 7)).replace('+', '')
  const places = Math.max(0, width - whole - 1)
  // For a very low price only zeros would remain.
  const isTooSmall = value !== 0 && Math.abs(value) < 10 ** (leastDigits - places - 1)
  return isTooSmall ? exponentialText(value, width) : value.toFixed(places)
}

/** The minimum of significant digits that are shown of a price. */
const leastDigits = 3

/** `1.24e-7`, with as many digits as fit. */
function exponentialText(value: number, width: number): string {
  const shortest = value.toExponential(0).length
  return value.toExponential(Math.max(0, width - shortest - 1))
}

/** `+1.25 %`, `-0.30 %`; empty if the change is unknown. */
export function changeText(percent: number | null): string {
  if (percent === null) return ''
  if (Math.abs(percent) >= 10_000) return `${percent > 0 ? '>' : '<'}${Math.sign(percent) * 9999} %`
  const rounded = Number(percent.toFixed(Math.abs(percent) >= 99.995 ? 0 : 2))
  const digits = Math.abs(rounded) >= 100 ? 0 : 2
  return `${rounded > 0 ? '+' : ''}${(rounded === 0 ? 0 : rounded).toFixed(digits)} %`
}
