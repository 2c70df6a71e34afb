import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { readyReport } from '../../../src/stack/stack-report.ts'

const rows = [
  { what: 'Kafka', where: '127.0.0.1:19092', note: 'topic market-prices' },
  { what: 'PostgreSQL', where: '127.0.0.1:15432', note: 'database bi_realtime' },
  { what: 'feed', where: '', note: 'simulate' },
]

it('says what runs where, what to try next, and ends with the line that starts with ready', () => {
  const report = readyReport({ rows, dataDir: '/data/kpi', hasReader: true, elapsedMs: 4321 })
  expect(report).toEqual([
    '',
    '  Kafka       127.0.0.1:19092  topic market-prices',
    '  PostgreSQL  127.0.0.1:15432  database bi_realtime',
    '  feed                         simulate',
    '  data        /data/kpi        logs in logs/, addresses in endpoints.json',
    '',
    '  try next, in another terminal',
    `    the rows      (. /data/kpi/env; psql "$READER_DATABASE_URL" -c 'SELECT symbol, window_start, avg_close, vwap, trade_count FROM kpi_windows ORDER BY 2 DESC LIMIT 10')`,
    '    watch it      npx market-kpi monitor --data-dir /data/kpi',
    '    check them    npx market-kpi verify --data-dir /data/kpi',
    '    more workers  npx market-kpi consume --workers 2 --data-dir /data/kpi',
    '    stop          Ctrl-C here, or npx market-kpi down --data-dir /data/kpi',
    '',
    'ready after 4.3 s: Kafka, PostgreSQL, feed',
  ])
})

it('leaves out what cannot be tried, and quotes a folder for the shell', () => {
  const report = readyReport({ rows, dataDir: "/it's here", hasReader: false, elapsedMs: 10 }).join('\n')
  expect(report).not.toContain('psql')
  expect(report).toContain(`npx market-kpi verify --data-dir '/it'\\''s here'`)
  expect(report).toContain(`npx market-kpi down --data-dir '/it'\\''s here'`)
})

it('names no folder where the commands find it by themselves', () => {
  const report = readyReport({ rows, dataDir: resolve('.market-kpi'), hasReader: false, elapsedMs: 10 })
  expect(report).toContain('    watch it      npx market-kpi monitor')
  expect(report.join('\n')).not.toContain('--data-dir')
})
