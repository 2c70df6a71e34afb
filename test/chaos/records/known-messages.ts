import { type BadKind, badKinds, badValue } from '../../../src/feed/simulate/bad-messages.ts'
import { Random } from '../../../src/feed/simulate/random.ts'

/** What a good message says. Prices and volume are scaled by 10^8. */
export interface Tick {
  readonly symbol: string
  readonly timestampUs: bigint
  readonly open: bigint
  readonly high: bigint
  readonly low: bigint
  readonly close: bigint
  readonly volume: bigint
}

/** A message with what it means, which is decided before it is written down: nothing here reads JSON. */
export interface KnownMessage {
  readonly key: string
  /** Without a byte: no value at all. */
  readonly value: string
  readonly meaning: Tick | BadKind
}

const hotSymbol = 'HOT'
const symbols = ['BRK.B', 'BTC/USDT', 'EURUSD=X', '^GSPC', 'x', ...Array.from({ length: 55 }, (_, i) => `SYM${i}`)]
/** 2024-01-02T14:30:00Z: in the past, so that nothing is in the future by accident. */
const startUs = 1_704_205_800_000_000n
/** At 3,000 messages/s a window of five minutes lasts five seconds. */
const stepUs = 20_000n
const disorderUs = 2_000_000
const latestByUs = 10_800_000_000
const farFutureMs = Date.UTC(2200, 0, 1)
const scale = 100_000_000n

/** A message's name in the log, where its writer gives it one. */
export function nameOf(stream: number | string, index: number): string {
  return `${stream}/${index}`
}

/** The message with a name that was given by {@link nameOf}. */
export function messageNamed(name: string): KnownMessage {
  const slash = name.lastIndexOf('/')
  return knownMessage(name.slice(0, slash), Number(name.slice(slash + 1)))
}

/**
 * The message with this number, the same whenever it is asked for: nobody has to remember messages.
 *
 * @param stream - The seed, for the load; other writers have others.
 */
export function knownMessage(stream: number | string, index: number): KnownMessage {
  const random = new Random(nameOf(stream, index))
  const kind = random.uniform()
  const symbol = random.uniform() < 0.4 ? hotSymbol : (symbols[random.below(symbols.length)] ?? hotSymbol)
  const key = random.uniform() < 0.04 ? `${symbol}~${random.below(4)}` : symbol
  const timestampUs = timestampOf(random, index, kind < 0.04)
  if (kind > 0.98) return badMessage(random, key, symbol, timestampUs)
  const tick = kind > 0.94 ? wideTick(random, symbol, timestampUs) : usualTick(random, symbol, timestampUs)
  return {
    key,
    value: kind > 0.88 && kind <= 0.94 ? unusualText(random, tick) : usualText(tick, random),
    meaning: tick,
  }
}

/** In order but for a little disorder; late ones by up to three hours. To the millisecond. */
function timestampOf(random: Random, index: number, isLate: boolean): bigint {
  const us = startUs + BigInt(index) * stepUs + BigInt(random.below(disorderUs))
  const lateUs = isLate ? BigInt(random.below(latestByUs)) : 0n
  return ((us - lateUs) / 1000n) * 1000n
}

function badMessage(random: Random, key: string, symbol: string, timestampUs: bigint): KnownMessage {
  let kind = badKinds[random.below(badKinds.length)] ?? 'empty'
  // They are 500 times as long as others.
  if (kind === 'too_large' && random.uniform() < 0.9) kind = 'not_json'
  const timeMs = kind === 'future_timestamp' ? farFutureMs : Number(timestampUs / 1000n)
  return { key, value: badValue(kind, symbol, timeMs), meaning: kind }
}

function usualTick(random: Random, symbol: string, timestampUs: bigint): Tick {
  const cents = () => BigInt(10_000 + random.below(20_000)) * (scale / 100n)
  const close = cents()
  const volume = BigInt(random.below(100_000)) * scale
  if (random.uniform() < 0.7) return { symbol, timestampUs, open: close, high: close, low: close, close, volume }
  return { symbol, timestampUs, open: cents(), high: cents(), low: cents(), close, volume }
}

/** Numbers beyond doubles and limbs, negative prices, digits to the last place. */
function wideTick(random: Random, symbol: string, timestampUs: bigint): Tick {
  const wide = () => BigInt(random.below(1_000_000_000)) * BigInt(10 ** random.below(14)) + BigInt(random.below(10_000))
  const price = () => (random.uniform() < 0.3 ? -wide() : wide())
  return { symbol, timestampUs, open: price(), high: price(), low: price(), close: price(), volume: wide() }
}

/** `123.45`: as few digits as it takes. */
function decimalText(scaled: bigint): string {
  const magnitude = scaled < 0n ? -scaled : scaled
  const fraction = (magnitude % scale).toString().padStart(8, '0').replace(/0+$/, '')
  return `${scaled < 0n ? '-' : ''}${magnitude / scale}${fraction === '' ? '' : `.${fraction}`}`
}

function isoText(timestampUs: bigint): string {
  return new Date(Number(timestampUs / 1000n)).toISOString()
}

function usualText(tick: Tick, random: Random): string {
  const { symbol, timestampUs, open, high, low, close, volume } = tick
  const isTick = open === close && high === close && low === close
  const bar = isTick ? '' : `"open":${decimalText(open)},"high":${decimalText(high)},"low":${decimalText(low)},`
  const time = random.uniform() < 0.1 ? String(timestampUs / 1000n) : `"${isoText(timestampUs)}"`
  return `{"symbol":"${symbol}","timestamp":${time},${bar}"close":${decimalText(close)},"volume":${decimalText(volume)}}`
}

/** The same meaning in words that the fast scan does not know. */
function unusualText(random: Random, tick: Tick): string {
  const members = [
    `${nameText(random, 'symbol')}:${stringText(random, tick.symbol)}`,
    `${nameText(random, 'timestamp')}:${timestampText(random, tick.timestampUs)}`,
    ...(['open', 'high', 'low', 'close', 'volume'] as const).map(
      (name) => `${nameText(random, name)}:${numberText(random, tick[name])}`,
    ),
  ]
  if (random.uniform() < 0.3) members.unshift('"close":"not this one"', '"volume":-1')
  if (random.uniform() < 0.3) members.push('"note":{"of":["na\u00efve \\ud83d\\ude00",{"close":7},null,1e9]}')
  if (random.uniform() < 0.3) members.push('"__proto__":{"symbol":"NO"}')
  const space = ['', ' ', '\n\t', '\r\n '][random.below(4)] ?? ''
  return `${space}{${space}${members.join(`${space},${space}`)}${space}}${space}`
}

function nameText(random: Random, name: string): string {
  return random.uniform() < 0.8 ? `"${name}"` : stringText(random, name)
}

/** With one character as an escape. */
function stringText(random: Random, text: string): string {
  const at = random.below(text.length)
  const code = text.charCodeAt(at).toString(16).padStart(4, '0')
  return `"${text.slice(0, at)}\\u${code}${text.slice(at + 1)}"`
}

function timestampText(random: Random, timestampUs: bigint): string {
  const iso = isoText(timestampUs)
  switch (random.below(5)) {
    case 0:
      return `"${iso.replace('T', ' ').replace('Z', '')}"`
    case 1:
      return `"${iso.replace('Z', '000999999z').replace('T', 't')}"`
    case 2:
      return `"${isoText(timestampUs + 19_800_000_000n).replace('Z', '+05:30')}"`
    case 3:
      return `"${isoText(timestampUs - 12_600_000_000n).replace('Z', '-0330')}"`
    default:
      return String(timestampUs / 1000n)
  }
}

function numberText(random: Random, scaled: bigint): string {
  const plain = decimalText(scaled)
  switch (random.below(4)) {
    case 0:
      return `${scaled}e-8`
    case 1:
      return `${plain.includes('.') ? plain : `${plain}.0`}E+0`
    case 2:
      // Half of the last place goes to the even side, which is here.
      return scaled % 2n === 0n && scaled > 0n ? `${scaled}.5e-8` : plain
    default:
      return `${plain.includes('.') ? plain : `${plain}.`}000000000000`
  }
}
