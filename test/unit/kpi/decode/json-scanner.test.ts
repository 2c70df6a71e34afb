import { describe, expect, it } from 'vitest'
import { JsonScanner } from '../../../../src/kpi/decode/json-scanner.ts'

/** What the scanner says of a text: its members as `name=kind:value`, its kind, or what is wrong and where. */
function scan(text: string | Uint8Array): string {
  const bytes = Buffer.concat([Buffer.from('{"'), Buffer.from(text), Buffer.from('"}')])
  const members: string[] = []
  const scanner = new JsonScanner({
    member: (nameStart, nameEnd, kind, valueStart, valueEnd) => {
      const [name, value] = [bytes.subarray(nameStart, nameEnd), bytes.subarray(valueStart, valueEnd)]
      members.push(`${name}=${kind}:${value}`)
    },
  })
  if (!scanner.scan(bytes, 2, bytes.length - 2)) return `${scanner.problem} at ${scanner.problemAt - 2}`
  return members.length > 0 ? members.join(' ') : scanner.kind
}

describe('JsonScanner', () => {
  it.each([
    ['{}', 'object'],
    [' {\n}\t', 'object'],
    ['[]', 'array'],
    ['[ [ ] , { } ]', 'array'],
    ['"x"', 'string'],
    ['0', 'number'],
    ['-0.5E+10', 'number'],
    ['true', 'true'],
    ['\r\nfalse ', 'false'],
    ['null', 'null'],
  ])('accepts %j', (text, kind) => {
    expect(scan(text)).toBe(kind)
  })

  it('tells the members of the outermost object, and only those', () => {
    expect(scan('{"a":1,"b" : "x" , "c":[{"d":2}],"e":{"f":{}},"":null,"a":true}')).toBe(
      'a=number:1 b=string:"x" c=array:[{"d":2}] e=object:{"f":{}} =null:null a=true:true',
    )
    expect(scan('[{"a":1}]')).toBe('array')
    expect(scan('{"\\u0061\\"":-1.5e3}')).toBe('\\u0061\\"=number:-1.5e3')
  })

  it.each([
    ['', 'a value is missing at 0'],
    ['  ', 'a value is missing at 2'],
    ['{', 'a name in quotes is missing at 1'],
    ['[', 'a value is missing at 1'],
    ['[1', 'a comma or ] is missing at 2'],
    ['{"a":1', 'a comma or } is missing at 6'],
    ['{"a"', 'a colon is missing at 4'],
    ['{"a" 1}', 'a colon is missing at 5'],
    ['{"a":}', 'a value is missing at 5'],
    ['{a:1}', 'a name in quotes is missing at 1'],
    ['{1:1}', 'a name in quotes is missing at 1'],
    ['{,}', 'a name in quotes is missing at 1'],
    ['{"a":1,}', 'a name in quotes is missing at 7'],
    ['[1,]', 'a value is missing at 3'],
    ['[,1]', 'a value is missing at 1'],
    ['[1 2]', 'a comma or ] is missing at 3'],
    ['[1}', 'a comma or ] is missing at 2'],
    ['{"a":1]', 'a comma or } is missing at 6'],
    ['{}{}', 'more after the end of the value at 2'],
    ['{}}', 'more after the end of the value at 2'],
    ['1 2', 'more after the end of the value at 2'],
    ['tru', 'a value is missing at 3'],
    ['True', 'a value is missing at 0'],
    ['nul!', 'a value is missing at 3'],
    ['NaN', 'a value is missing at 0'],
    ['Infinity', 'a value is missing at 0'],
    ["'x'", 'a value is missing at 0'],
    ['// x\n1', 'a value is missing at 0'],
    ['\f1', 'a value is missing at 0'],
    ['\u00a01', 'a value is missing at 0'],
    ['\ufeff1', 'a value is missing at 0'],
    ['01', 'more after the end of the value at 1'],
    ['-01', 'more after the end of the value at 2'],
    ['1.', 'a digit is missing at 2'],
    ['.5', 'a value is missing at 0'],
    ['1.e3', 'a digit is missing at 2'],
    ['1e', 'a digit is missing at 2'],
    ['1e+', 'a digit is missing at 3'],
    ['1e1.5', 'more after the end of the value at 3'],
    ['-', 'a digit is missing at 1'],
    ['--1', 'a digit is missing at 1'],
    ['+1', 'a value is missing at 0'],
    ['0x10', 'more after the end of the value at 1'],
    ['1_000', 'more after the end of the value at 1'],
    ['-Infinity', 'a digit is missing at 1'],
  ])('refuses %j: %s', (text, problem) => {
    expect(scan(text)).toBe(problem)
  })

  it.each([
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', 'string'],
    ['"\\u0000\\uD83D\\ude00"', 'string'],
    ['"\\ud800"', 'string'],
    ['"\\udc00\\ud800"', 'string'],
    ['"\u007f"', 'string'],
    ['"x', 'a string without an end at 2'],
    ['"x\\"', 'a string without an end at 4'],
    ['"\\', 'an unknown escape at 2'],
    ['"\\x41"', 'an unknown escape at 2'],
    ['"\\\'"', 'an unknown escape at 2'],
    ['"\\u004"', 'an escape without its four hexadecimal digits at 6'],
    ['"\\u00g0"', 'an escape without its four hexadecimal digits at 5'],
    ['"\\u"', 'an escape without its four hexadecimal digits at 3'],
    ['"\\U0041"', 'an unknown escape at 2'],
    ['"\u0000"', 'a control character in a string at 1'],
    ['"\n"', 'a control character in a string at 1'],
    ['"\u001f"', 'a control character in a string at 1'],
    ['{"a\tb":1}', 'a control character in a string at 3'],
  ])('reads the string %j: %s', (text, result) => {
    expect(scan(text)).toBe(result)
  })

  it.each([
    ['U+0080', [0xc2, 0x80], true],
    ['U+07FF', [0xdf, 0xbf], true],
    ['U+0800', [0xe0, 0xa0, 0x80], true],
    ['U+D7FF', [0xed, 0x9f, 0xbf], true],
    ['U+E000', [0xee, 0x80, 0x80], true],
    ['U+FEFF in a string', [0xef, 0xbb, 0xbf], true],
    ['U+FFFF', [0xef, 0xbf, 0xbf], true],
    ['U+10000', [0xf0, 0x90, 0x80, 0x80], true],
    ['U+10FFFF', [0xf4, 0x8f, 0xbf, 0xbf], true],
    ['U+110000', [0xf4, 0x90, 0x80, 0x80], false],
    ['what begins with 0xf5', [0xf5, 0x80, 0x80, 0x80], false],
    ['a byte that only goes on', [0x80], false],
    ['an overlong NUL', [0xc0, 0x80], false],
    ['an overlong slash', [0xc1, 0xaf], false],
    ['overlong in three bytes', [0xe0, 0x9f, 0xbf], false],
    ['overlong in four bytes', [0xf0, 0x8f, 0xbf, 0xbf], false],
    ['a surrogate', [0xed, 0xa0, 0x80], false],
    ['the last surrogate', [0xed, 0xbf, 0xbf], false],
    ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80], false],
    ['0xff', [0xff], false],
    ['one byte of two', [0xc3], false],
    ['two bytes of three', [0xe2, 0x82], false],
    ['three bytes of four', [0xf0, 0x9f, 0x98], false],
    ['a second byte that is a letter', [0xc3, 0x41], false],
    ['a last byte that is a letter', [0xe2, 0x82, 0x41], false],
  ])('knows UTF-8: %s', (_, bytes, isGood) => {
    const text = Buffer.concat([Buffer.from('"'), Buffer.from(bytes), Buffer.from('"')])
    expect(scan(text)).toMatch(isGood ? /^string$/ : /^not UTF-8 at \d$/)
    // Beyond strings no character outside ASCII may stand.
    expect(scan(Uint8Array.from(bytes))).toBe('a value is missing at 0')
  })

  it('allows 64 levels', () => {
    const nested = (depth: number, [open, close]: readonly [string, string]) => open.repeat(depth) + close.repeat(depth)
    expect(scan(nested(64, ['[', ']']))).toBe('array')
    expect(scan(nested(65, ['[', ']']))).toBe('nested deeper than 64 at 64')
    expect(scan(`${'{"":'.repeat(63)}{}${'}'.repeat(63)}`)).toMatch(/^=object:/)
    expect(scan(`${'{"":'.repeat(64)}{}${'}'.repeat(64)}`)).toBe('nested deeper than 64 at 256')
    expect(scan(`[${'[],'.repeat(1000)}0]`)).toBe('array')
    expect(scan('['.repeat(60_000))).toBe('nested deeper than 64 at 64')
  })

  it('ends where it is told to, whatever follows', () => {
    const bytes = Buffer.from('[1234]')
    const scanner = new JsonScanner({ member: () => {} })
    expect(scanner.scan(bytes, 1, 3)).toBe(true)
    expect(scanner.kind).toBe('number')
    expect(scanner.scan(bytes, 0, 5)).toBe(false)
  })
})
