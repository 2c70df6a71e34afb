import { describe, expect, it } from 'vitest'
import { maxMessageBytes, teamsMessage } from '../../../../src/alerts/notifiers/teams.ts'
import { aNotification, anAlert, resolved } from './samples.ts'

interface Card {
  readonly type: string
  readonly version: string
  readonly body: readonly Element[]
  readonly actions: readonly { readonly type: string; readonly url: string; readonly title: string }[]
}
interface Element {
  readonly type: string
  readonly items?: readonly Element[]
  readonly inlines?: readonly { readonly text: string; readonly color?: string }[]
}

function cardOf(...given: Parameters<typeof aNotification>): Card {
  const message = JSON.parse(teamsMessage(aNotification(...given)))
  expect(message).toMatchObject({
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null }],
  })
  return message.attachments[0].content
}

function linesOf({ body }: Card): string[] {
  const elements = body.flatMap((element) => element.items ?? [element])
  return elements.map(({ inlines }) => inlines?.[0]?.text ?? '')
}

describe('a card', () => {
  it('has a heading, the alerts, and where it comes from', () => {
    const card = cardOf({ alerts: [anAlert(), resolved(anAlert({ rule: 'WorkerDown', summary: 'one is gone' }))] })
    expect(card).toMatchObject({ type: 'AdaptiveCard', version: '1.4', actions: [] })
    expect(linesOf(card)).toEqual([
      '[FIRING:1] market-prices: ConsumerStalled',
      '🔴 [CRITICAL] ConsumerStalled',
      'partition 2 has not moved for 60 s, with 1,204 messages waiting',
      'since 2026-02-14 14:30:00 UTC (partition=2). What to do: market-kpi alerts explain ConsumerStalled',
      '✅ [RESOLVED] WorkerDown',
      'one is gone',
      'from 2026-02-14 14:30:00 UTC to 2026-02-14 14:40:00 UTC (partition=2). What to do: market-kpi alerts explain ConsumerStalled',
      'topic market-prices, group market-kpi-processor, seen from desk-1',
    ])
  })

  it('has a button for each page that has an address', () => {
    const runbookUrl = 'https://docs.example/alerts/KpiStale.md'
    const alerts = [1, 2].map((n) => anAlert({ rule: 'KpiStale', labels: { symbol: `S${n}` }, runbookUrl }))
    expect(cardOf({ alerts }).actions).toEqual([
      { type: 'Action.OpenUrl', title: 'What to do: KpiStale', url: runbookUrl },
    ])
  })

  it('shows text of others as text: no Markdown is read in it', () => {
    const { body } = cardOf({ alerts: [anAlert({ summary: '[click](https://evil.example)' })] })
    const elements = body.flatMap((element) => element.items ?? [element])
    expect(new Set(elements.map(({ type }) => type))).toEqual(new Set(['RichTextBlock']))
  })

  it('stays below what Teams takes, and says how many alerts it leaves out', () => {
    const alerts = Array.from({ length: 200 }, () =>
      anAlert({ summary: '€'.repeat(5000), labels: { x: 'ä'.repeat(5000) } }),
    )
    const message = teamsMessage(aNotification({ alerts }))
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(maxMessageBytes)
    const lines = linesOf(cardOf({ alerts }))
    const shown = lines.filter((line) => line.includes('[CRITICAL]')).length
    expect(shown).toBeGreaterThan(1)
    expect(lines.at(-1)).toMatch(new RegExp(`; and ${200 - shown} more alerts$`))
  })
})
