import { describe } from 'vitest'
import { areRead, at, head } from './file-forms.ts'

describe('a file with zones and other forms of dates is read', () => {
  areRead([
    // zones
    {
      what: 'in the summer of London',
      text: `${head}A,2024-07-01 09:30,1,2\n`,
      flags: { timeZone: 'Europe/London' },
      prices: ['A 2024-07-01T08:30:00Z 1 2'],
    },
    {
      what: 'with an offset in a zone',
      text: `${head}A,2024-02-14T09:30:00-05:00,1,2\nA,2024-02-14 14:31 UTC,1,2\n`,
      flags: { timeZone: 'Asia/Tokyo' },
      prices: [at('14:30:00', 1, 2), at('14:31:00', 1, 2)],
    },
    {
      what: 'with epochs in a zone',
      text: `${head}A,1707921000,1,2\n`,
      flags: { timeZone: 'Asia/Tokyo' },
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'in a fixed zone',
      text: `${head}A,2024-02-14 09:30:00,1,2\n`,
      flags: { timeZone: 'Etc/GMT+5' },
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'with a message of ours in a zone',
      text: '{"symbol":"A","timestamp":"2024-02-14T09:30:00","close":1,"volume":2}\n',
      flags: { timeZone: 'America/New_York' },
      prices: [at('14:30:00', 1, 2)],
    },
    // forms of dates
    {
      what: 'without seconds',
      text: `${head}A,2024-02-14T14:30Z,1,2\nA,2024-02-14 14:31,1,2\n`,
      prices: [at('14:30:00', 1, 2), at('14:31:00', 1, 2)],
    },
    {
      what: 'with short offsets',
      text: `${head}A,2024-02-14 14:30:00+00,1,2\nA,2024-02-14 20:01+0530,1,2\nA,2024-02-14 14:32:00 +0000,1,2\n`,
      prices: [at('14:30:00', 1, 2), at('14:31:00', 1, 2), at('14:32:00', 1, 2)],
    },
    {
      what: 'with dots, the year first',
      text: `${head}A,2024.02.14 14:30,1,2\nA,2024.02.15,1,2\n`,
      prices: [at('14:30:00', 1, 2), 'A 2024-02-15T00:00:00Z 1 2'],
    },
    {
      what: 'with slashes, the year first',
      text: `${head}A,2024/02/14 14:30:00.5,1,2\n`,
      prices: [at('14:30:00.500', 1, 2)],
    },
    {
      what: 'with dots, the day first',
      text: `${head}A,14.02.2024,1,2\nA,15.02.2024 09:00 GMT,1,2\n`,
      prices: [at('00:00:00', 1, 2), 'A 2024-02-15T09:00:00Z 1 2'],
    },
    {
      what: 'with slashes, as it is told',
      text: `${head}A,02/14/2024 14:30,1,2\n`,
      flags: { timeFormat: 'MM/dd/yyyy HH:mm' },
      prices: [at('14:30:00', 1, 2)],
    },
    {
      what: 'with slashes and a time of day apart, as it is told',
      text: 'symbol,date,time,close\nA,14/02/2024,14:30,1\n',
      flags: { timeFormat: 'dd/MM/yyyy' },
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with slashes and a time of day apart, as it is told for both',
      text: 'symbol,date,time,close\nA,2/14/2024,2:30 PM,1\n',
      flags: { timeFormat: 'M/d/yyyy h:mm a' },
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with names of months, as it is told',
      text: `${head}A,14-Feb-2024,1,2\n`,
      flags: { timeFormat: 'dd-MMM-yyyy' },
      prices: [at('00:00:00', 1, 2)],
    },
    {
      what: 'with milliseconds behind digits, as it is told',
      text: `${head}A,20240214143000105,1,2\n`,
      flags: { timeFormat: 'yyyyMMddHHmmssSSS' },
      prices: [at('14:30:00.105', 1, 2)],
    },
  ])
})
