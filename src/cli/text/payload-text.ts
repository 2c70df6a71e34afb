/** Node supports these parts of JSON since version 21, but TypeScript's library does not declare them yet. */
interface SourceJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { source: string }) => unknown): unknown
  rawJSON(text: string): unknown
}
const sourceJson = JSON as unknown as SourceJson

const shownBytes = 1024
const lineBytes = 16

/**
 * The bytes of a message, for a terminal: JSON is indented and keeps its numbers digit by digit; other text is
 * unchanged; anything else is shown in hexadecimal. Terminal control characters are never printed.
 */
export function payloadText(payload: Buffer): string {
  const text = textOf(payload)
  if (text === undefined) return hexDump(payload)
  return indented(text) ?? text
}

/** Undefined for bytes that are not UTF-8, or contain control characters. */
function textOf(payload: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
    return /[^\P{C}\t\r\n]/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** Undefined if the text is not JSON, or has a repeated key, which would be lost. */
function indented(text: string): string | undefined {
  try {
    const value = sourceJson.parse(text, (_key, part, { source }) =>
      typeof part === 'number' ? sourceJson.rawJSON(source) : part,
    )
    const pretty = JSON.stringify(value, undefined, 2)
    return memberCount(pretty) === memberCount(text) ? pretty.replace(/[^\P{C}\n]/gu, escaped) : undefined
  } catch {
    return undefined
  }
}

/** Counts the colons outside of strings. */
function memberCount(json: string): number {
  return json.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('')
}

/** Offset, bytes and printable characters, 16 bytes a line. */
function hexDump(bytes: Buffer): string {
  const shown = bytes.subarray(0, shownBytes)
  const lines = Array.from({ length: Math.ceil(shown.length / lineBytes) }, (_, i) => {
    const line = shown.subarray(i * lineBytes, (i + 1) * lineBytes)
    const hex = line.toString('hex').replace(/(..)(?=.)/g, '$1 ')
    const characters = line.toString('latin1').replace(/[^\x20-\x7e]/g, '.')
    return `${(i * lineBytes).toString(16).padStart(8, '0')}  ${hex.padEnd(lineBytes * 3)} ${characters}`
  })
  const left = bytes.length - shown.length
  return [...lines, ...(left > 0 ? [`and ${left} bytes more; --raw writes all of them`] : [])].join('\n')
}
