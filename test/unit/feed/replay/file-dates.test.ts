import { describe } from 'vitest'
import { areRead, at, head } from './file-forms.ts'

describe('a file with dates, times and numbers of time is read', () => {
  areRead([
    // compact dates
    {
      what: 'with days as digits',
      text: 'symbol,date,close\nA,20240214,1\nA,20240215,2\n',
      prices: [at('00:00:00', 1), 'A 2024-02-15T00:00:00Z 2 0'],
    },
    {
      what: 'with a leap day as digits, and a day that does not exist',
      text: 'symbol,date,close\nA,20240228,1\nA,20240229,2\nA,20240230,3\n',
      prices: ['A 2024-02-28T00:00:00Z 1 0', 'A 2024-02-29T00:00:00Z 2 0'],
      rejected: 1,
    },
    { what: 'with minutes as digits', text: 'symbol,time,close\nA,202402141430,1\n', prices: [at('14:30:00', 1)] },
    {
      what: 'with seconds as digits in quotes',
      text: 'symbol,time,close\n"A","20240214143005","1"\n',
      prices: [at('14:30:05', 1)],
    },
    {
      what: 'with digits, a blank and minutes',
      text: 'symbol,time,close\nA,20240214 1430,1\nA,20240214 14:31,2\nA,20240214  14:32:01,3\n',
      prices: [at('14:30:00', 1), at('14:31:00', 2), at('14:32:01', 3)],
    },
    {
      what: 'with days as JSON numbers',
      text: '{"symbol":"A","date":20240214,"close":1}\n',
      prices: [at('00:00:00', 1)],
    },
    {
      what: 'with days as the JSON numbers of a message of ours',
      text: '{"symbol":"A","timestamp":20240214,"close":1,"volume":2}\n',
      prices: [at('00:00:00', 1, 2)],
    },
    {
      what: 'with digits as milliseconds where it is told',
      text: 'symbol,date,close\nA,946684800000,1\n',
      flags: { timeFormat: 'epoch-ms' },
      prices: ['A 2000-01-01T00:00:00Z 1 0'],
    },
    {
      what: 'with a compact day in New York',
      text: 'symbol,date,close\nA,20240214,1\n',
      flags: { timeZone: 'America/New_York' },
      prices: [at('05:00:00', 1)],
    },
    // date and time in two columns
    {
      what: 'with date and time apart',
      text: 'symbol,date,time,close\nA,2024-02-14,14:30,1\nA,2024-02-14,14:30:05.5,2\n',
      prices: [at('14:30:00', 1), at('14:30:05.500', 2)],
    },
    {
      what: 'with dotted dates and digits of a time apart',
      text: '<TICKER>;<DATE>;<TIME>;<CLOSE>;<VOL>\nA;14.02.2024;143005;1;2\n',
      prices: [at('14:30:05', 1, 2)],
    },
    {
      what: 'with the times of a morning as digits',
      text: 'symbol,date,time,close\nA,20240214,0005,1\nA,20240214,0930,2\n',
      prices: [at('00:05:00', 1), at('09:30:00', 2)],
    },
    {
      what: 'with the time before the date',
      text: 'symbol,time,close,date\nA,14:30,1,2024/02/14\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with midnights and times apart, as a spreadsheet exports them',
      text: 'symbol,date,time,close\nA,2024-02-14 00:00:00,14:30,1\nA,2024-02-14 00:00:00,14:31,2\n',
      prices: [at('14:30:00', 1), at('14:31:00', 2)],
    },
    {
      what: 'with the columns that are named, in Kolkata',
      text: 'symbol,day,clock,close\nA,14.02.2024,09:15,1\n',
      flags: { map: new Map([['timestamp', 'day+clock']]), timeZone: 'Asia/Kolkata' },
      prices: [at('03:45:00', 1)],
    },
    {
      what: 'with a name that has a plus',
      text: 'symbol,date+time,close\nA,2024-02-14 14:30,1\n',
      flags: { map: new Map([['timestamp', 'date+time']]) },
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with date and time as JSON members',
      text: '{"symbol":"A","date":"2024-02-14","time":"14:30","close":1}\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with an epoch beside date and time',
      text: 'date,time,unix,symbol,close\n2024-02-14,09:30,1707921000,A,1\n',
      prices: [at('14:30:00', 1)],
    },
    {
      what: 'with a day beside an epoch',
      text: 'symbol,date,ts,close\nA,2024-02-14,1707921000,1\nA,2024-02-14,1707921060,2\n',
      prices: [at('14:30:00', 1), at('14:31:00', 2)],
    },
    {
      what: 'with an empty time of day',
      text: 'symbol,date,time,close\nA,2024-02-14,,1\nA,2024-02-15,,2\n',
      prices: [at('00:00:00', 1), 'A 2024-02-15T00:00:00Z 2 0'],
    },
    {
      what: 'with a time of day that lacks in one line',
      text: 'symbol,date,time,close\nA,2024-02-14,14:30,1\nA,2024-02-14,,2\n',
      prices: [at('14:30:00', 1)],
      rejected: 1,
    },
    {
      what: 'with days of several rows where it is told so',
      text: 'symbol,date,close\nA,2024-02-14,1\nA,2024-02-14,2\n',
      flags: { map: new Map([['timestamp', 'date']]) },
      prices: [at('00:00:00', 1), at('00:00:00', 2)],
    },
    // numbers
    { what: 'with seconds in exponents', text: `${head}A,1.7079210E+09,1,2\n`, prices: [at('14:30:00', 1, 2)] },
    {
      what: 'with milliseconds in exponents',
      text: `${head}A,1.707921000105e12,1,2\n`,
      prices: [at('14:30:00.105', 1, 2)],
    },
    { what: 'with microseconds', text: `${head}A,1707921000105000,1,2\n`, prices: [at('14:30:00.105', 1, 2)] },
    {
      what: 'with seconds before 1980 where it is told',
      text: `${head}A,86400,1,2\n`,
      flags: { timeFormat: 'epoch-s' },
      prices: ['A 1970-01-02T00:00:00Z 1 2'],
    },
    {
      what: 'with nanoseconds that look like ticks where it is told',
      text: `${head}A,638434818000000000,1,2\n`,
      flags: { timeFormat: 'epoch-ns' },
      prices: ['A 1990-03-26T07:00:18Z 1 2'],
    },
    {
      what: 'with days of a spreadsheet in Berlin',
      text: `${head}A,45336.5,1,2\n`,
      flags: { timeFormat: 'excel', timeZone: 'Europe/Berlin' },
      prices: [at('11:00:00', 1, 2)],
    },
    {
      what: 'with days of a German spreadsheet',
      text: 'symbol;date;close\nA;45336,604166666664;1,5\n',
      flags: { timeFormat: 'excel', decimal: ',' },
      prices: [at('14:30:00', 1.5)],
    },
    {
      what: 'with ticks',
      text: `${head}A,638435178000000000,1,2\n`,
      flags: { timeFormat: 'dotnet-ticks' },
      prices: [at('14:30:00', 1, 2)],
    },
  ])
})
