import { describe } from 'vitest'
import { areRefused, head } from './file-forms.ts'

describe('a file is refused for its times', () => {
  areRefused([
    { what: 'with numbers before 1980', text: `${head}A,123456789,1,2\n`, says: ['--time-format', 'line 2'] },
    {
      what: 'with digits that are mostly no dates',
      text: 'symbol,date,close\nA,19700131,1\nA,19700132,1\nA,19700133,1\n',
      says: ['--time-format'],
    },
    { what: 'with days of a spreadsheet', text: `${head}A,45336.5,1,2\n`, says: ['--time-format', 'excel'] },
    {
      what: 'with whole days of a spreadsheet',
      text: 'symbol,date,close\nA,45336,1\nA,45337,1\n',
      says: ['--time-format', 'excel'],
    },
    { what: 'with ticks', text: `${head}A,638435178000000000,1,2\n`, says: ['--time-format dotnet-ticks'] },
    {
      what: 'with milliseconds behind the digits of a date',
      text: `${head}A,20240214143000105,1,2\n`,
      says: ['--time-format yyyyMMddHHmmssSSS'],
    },
    { what: 'with a time of day alone', text: 'symbol,time,close\nA,14:30,1\n', says: ['--map timestamp=DATE+time'] },
    { what: 'with digits of a time of day alone', text: 'symbol,time,close\nA,143000,1\n', says: ['--time-format'] },
    {
      what: 'with a time of day of another name',
      text: 'symbol,date,BarStart,close\nA,2024-02-14,14:30:00,1\nA,2024-02-15,14:30:00,1\n',
      says: ["--map 'timestamp=date+BarStart'"],
    },
    {
      what: 'with a time of day in digits of another name',
      text: 'symbol,date,bar_time,close\nA,20240214,0930,1\nA,20240215,0930,1\n',
      says: ["--map 'timestamp=date+bar_time'"],
    },
    {
      what: 'with an hour beside its days',
      text: 'symbol,date,hour,close\nA,2024-02-14,9,1\nA,2024-02-15,10,1\n',
      says: ['--map', 'hour'],
    },
    {
      what: 'with a time of day that is not read',
      text: 'symbol,date,time,close\nA,2024-02-14,9:30,1\nA,2024-02-14,9:31,1\n',
      says: ['--map', 'time'],
    },
    {
      what: 'with several rows of one day',
      text: 'symbol,date,close\nA,2024-02-14,1\nB,2024-02-14,1\nA,2024-02-14,2\n',
      says: ['--map', 'one window'],
    },
    {
      what: 'with several rows of one day as digits',
      text: 'date,close\n20240214,1\n20240214,1\n',
      flags: { symbol: 'A' },
      says: ['--map'],
    },
    {
      what: 'with several rows of one day in JSON',
      text: '{"symbol":"A","date":"2024-02-14","close":1}\n{"symbol":"A","date":"2024-02-14","close":2}\n',
      says: ['--map'],
    },
    {
      what: 'with months or days first',
      text: `${head}A,02/03/2024 14:30,1,2\n`,
      says: ["--time-format 'MM/dd/yyyy HH:mm' or 'dd/MM/yyyy HH:mm'"],
    },
    {
      what: 'with months or days first and short',
      text: `${head}A,2/3/24 9:30 PM,1,2\n`,
      says: ["'M/d/yy h:mm a' or 'd/M/yy h:mm a'"],
    },
    {
      what: 'with months or days first, and times of day',
      text: 'symbol,date,time,close\nA,02/03/2024,14:30,1\nA,02/03/2024,14:31,1\n',
      says: ["--time-format 'MM/dd/yyyy'"],
    },
    { what: 'with names of months', text: `${head}A,14 Feb 2024,1,2\n`, says: ['--time-format'] },
  ])
})
