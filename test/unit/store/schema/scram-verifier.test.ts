import { expect, it } from 'vitest'
import { isVerifierOf, scramVerifier } from '../../../../src/store/schema/scram-verifier.ts'

it('has the form that PostgreSQL takes for a verifier', () => {
  expect(scramVerifier('pencil')).toMatch(
    /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/,
  )
  expect(scramVerifier('pencil')).not.toBe(scramVerifier('pencil'))
})

it('follows the example of RFC 7677', () => {
  // Salt and iterations of its section 3; the keys follow from the password 'pencil'.
  const verifier =
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='
  expect(isVerifierOf(verifier, 'pencil')).toBe(true)
  expect(isVerifierOf(verifier, 'Pencil')).toBe(false)
})

it.each(['', 'pencil', 'md5d8578edf8458ce06fbc5bb76a58c5ca4', 'SCRAM-SHA-256$4096:abcd$x'])(
  'a text that is no verifier, %j, is of no password',
  (text) => {
    expect(isVerifierOf(text, 'pencil')).toBe(false)
  },
)

it.each([
  ['a soft hyphen is nothing', 'I\u00adX', 'IX'],
  ['compatible forms are one', '\u2168', 'IX'],
  ['a no-break space is a space', 'a\u00a0b', 'a b'],
  ['composed and decomposed are one', 'a\u0308', '\u00e4'],
])('%s', (_, one, other) => {
  expect(isVerifierOf(scramVerifier(one), other)).toBe(true)
})
