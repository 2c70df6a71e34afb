import { describe } from 'vitest'
import { areRead, at, head } from './file-forms.ts'

describe('a file with numbers of other countries and with noise is read', () => {
  areRead([
    // numbers of other countries
    {
      what: 'with decimal commas',
      text: 'symbol;date;close;volume\nA;2024-02-14;1.161,75;1.234.567\n',
      flags: { decimal: ',', thousands: '.' },
      prices: [at('00:00:00', 1161.75, 1234567)],
    },
    {
      what: 'with commas between thousands',
      text: 'symbol,date,close,volume\nA,2024-02-14,"1,161.75","12,34,567"\n',
      flags: { thousands: ',' },
      prices: [at('00:00:00', 1161.75, 1234567)],
    },
    {
      what: 'with blanks between thousands',
      text: 'symbol;date;close;volume\nA;2024-02-14;1\u00a0161,75;1\u202f234\n',
      flags: { decimal: ',', thousands: ' ' },
      prices: [at('00:00:00', 1161.75, 1234)],
    },
    {
      what: 'with points where thousands are, and where they are not',
      text: 'symbol;date;close\nA;2024-02-14;1.161\nA;2024-02-15;160.50\n',
      flags: { decimal: ',', thousands: '.' },
      prices: [at('00:00:00', 1161)],
      rejected: 1,
    },
    {
      what: 'with strings and numbers of JSON',
      text: '{"symbol":"A","date":"2024-02-14","close":"1,5","volume":1.5}\n{"symbol":"A","date":"2024-02-15","close":2.5,"volume":"1.000"}\n',
      flags: { decimal: ',', thousands: '.' },
      prices: [at('00:00:00', 1.5, 1.5), 'A 2024-02-15T00:00:00Z 2.5 1000'],
    },
    {
      what: 'with words for no volume',
      text: `${head}A,2024-02-14T14:30:00Z,1,nan\nA,2024-02-14T14:31:00Z,1,n/a\nA,2024-02-14T14:32:00Z,1,NULL\nA,2024-02-14T14:33:00Z,1,-\nA,2024-02-14T14:34:00Z,1,\n`,
      prices: ['14:30', '14:31', '14:32', '14:33', '14:34'].map((time) => at(`${time}:00`, 1)),
    },
    {
      what: 'with words for no price',
      text: `${head}A,2024-02-14T14:30:00Z,NaN,1\nA,2024-02-14T14:31:00Z,2,1\n`,
      prices: [at('14:31:00', 2, 1)],
      rejected: 1,
    },
    {
      what: 'with null in JSON',
      text: '{"symbol":"A","timestamp":"2024-02-14T14:30:00Z","open":null,"high":null,"low":null,"close":1,"volume":null}\n',
      prices: [at('14:30:00', 1)],
    },
    // layout noise
    {
      what: 'with a delimiter at the end of the header alone',
      text: 'symbol,timestamp,close,\nA,2024-02-14T14:30:00Z,1\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with a delimiter at the end of all lines',
      text: 'symbol,timestamp,close,\nA,2024-02-14T14:30:00Z,1,\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with blanks around quotes',
      text: '"symbol" , "timestamp" , "close"\n"A" , "2024-02-14T14:30:00Z" , "1"\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with lines of blanks',
      text: `${head}A,2024-02-14T14:30:00Z,1,2\n   \n\t\n`,
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'in UTF-16, the high byte first',
      text: Buffer.from(`\ufeff${head}A,2024-02-14T14:30:00Z,1,2\n`, 'utf16le').swap16(),
      prices: [at('14:30:00', 1, 2)],
    },
  ])
})
