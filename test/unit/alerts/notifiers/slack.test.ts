import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escaped, slackMessage } from '../../../../src/alerts/notifiers/slack.ts'
import { propertyRuns } from '../../kpi/property-runs.ts'
import { aNotification, anAlert, resolved } from './samples.ts'

interface Block {
  readonly type: string
  readonly text?: { readonly type: string; readonly text: string }
  readonly elements?: readonly { readonly text: string }[]
}

function blocksOf(...given: Parameters<typeof aNotification>): readonly Block[] {
  return (slackMessage(aNotification(...given)) as { blocks: readonly Block[] }).blocks
}

describe('a message', () => {
  it('has a heading, a section an alert, and where it comes from', () => {
    const blocks = blocksOf({ alerts: [anAlert(), resolved(anAlert({ rule: 'WorkerDown', labels: {} }))] })
    expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'context'])
    expect(blocks[0]?.text).toEqual({ type: 'plain_text', text: '[FIRING:1] market-prices: ConsumerStalled' })
    expect(blocks[1]?.text?.text).toBe(
      [
        '🔴 [CRITICAL] *ConsumerStalled*: partition 2 has not moved for 60 s, with 1,204 messages waiting',
        'since 2026-02-14 14:30:00 UTC (partition=2)',
        'What to do: market-kpi alerts explain ConsumerStalled',
      ].join('\n'),
    )
    expect(blocks[2]?.text?.text).toContain('✅ [RESOLVED] *WorkerDown*')
    expect(blocks[2]?.text?.text).toContain('from 2026-02-14 14:30:00 UTC to 2026-02-14 14:40:00 UTC')
    expect(blocks[3]?.elements?.[0]?.text).toBe('topic market-prices, group market-kpi-processor, seen from desk-1')
  })

  it('links the page where it has an address', () => {
    const [, section] = blocksOf({ alerts: [anAlert({ runbookUrl: 'https://docs.example/a b|c>100%.md?x&y' })] })
    expect(section?.text?.text).toContain('<https://docs.example/a%20b%7Cc%3E100%.md?x&amp;y|What to do>')
  })

  it('calls no channel, whatever a label says', () => {
    const alerts = [anAlert({ labels: { symbol: '<!channel>' }, summary: 'a & <@U1>' })]
    const text = JSON.stringify(slackMessage(aNotification({ alerts })))
    expect(text).not.toMatch(/<[!@]/)
    expect(text).toContain('a &amp; &lt;@U1&gt;')
  })

  it('keeps the limits of Slack, however many and long the alerts are', () => {
    const long = '<&>'.repeat(5000)
    const alerts = Array.from({ length: 300 }, (_, index) =>
      anAlert({
        rule: `${long}${index}`,
        summary: long,
        labels: { long },
        runbookUrl: `https://docs.example/${'a'.repeat(2000)}`,
      }),
    )
    const blocks = blocksOf({ alerts })
    expect(blocks.length).toBeLessThanOrEqual(50)
    expect(blocks[0]?.text?.text.length).toBeLessThanOrEqual(150)
    for (const { text } of blocks) expect(text?.text.length ?? 0).toBeLessThanOrEqual(3000)
    expect(blocks.at(-1)?.elements?.[0]?.text).toMatch(/; and 280 more alerts$/)
  })
})

it('an escaped text is never longer than allowed, tears no entity and no character', () => {
  const property = fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, max) => {
    const shown = escaped(`${text}<&>`, max)
    expect(shown.length).toBeLessThanOrEqual(max)
    expect(shown.replace(/&(amp|lt|gt);/g, '')).not.toMatch(/[&<>]/)
    expect(shown.isWellFormed()).toBe(true)
  })
  fc.assert(property, propertyRuns)
})
