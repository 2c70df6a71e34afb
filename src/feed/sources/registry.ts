// The sources of prices. To add one, add it to the list below; no other code has to change.
import type { Option } from 'commander'
import { KpiError } from '../../errors.ts'
import { replayFeed } from '../replay/replay-feed.ts'
import { simulateFeed } from '../simulate/simulate-feed.ts'
import type { FeedSource } from './feed-source.ts'

export const feedSources: readonly FeedSource[] = [simulateFeed, replayFeed]

/** A source and the text after its colon. */
export interface ChosenSource {
  readonly source: FeedSource
  readonly argument: string
}

/** How a source is written on the command line: `simulate`, `replay:FILE`. */
export function spellingOf({ name, argument }: FeedSource): string {
  return argument === undefined ? name : `${name}:${argument}`
}

/** All spellings as text: `simulate or replay:FILE`. */
export function spellings(sources: readonly FeedSource[] = feedSources, more: readonly string[] = []): string {
  const all = [...sources.map(spellingOf), ...more]
  return all.length < 2 ? all.join() : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`
}

/** @throws KpiError `KPI_USAGE` when no source has this spelling. */
export function parseSource(text: string): ChosenSource {
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  const argument = colon < 0 ? '' : text.slice(colon + 1)
  const source = feedSources.find((one) => one.name === name)
  const isWhole = source?.argument === undefined ? colon < 0 : argument !== ''
  if (source && isWhole) return { source, argument }
  throw new KpiError('KPI_USAGE', `the source '${text}': must be ${spellings()}`)
}

/** Finds the source of a given option that the chosen source does not have. Options of several sources are accepted. */
export function strayOption(
  chosen: FeedSource,
  isGiven: (attribute: string) => boolean,
): { readonly flag: string; readonly owner: FeedSource } | undefined {
  const own = new Set(attributesOf(chosen).map(({ attribute }) => attribute))
  for (const owner of feedSources) {
    const stray = attributesOf(owner).find(({ attribute }) => !own.has(attribute) && isGiven(attribute))
    if (stray) return { flag: stray.flag, owner }
  }
  return undefined
}

function attributesOf(source: FeedSource): { readonly flag: string; readonly attribute: string }[] {
  const options = source
    .options()
    .map((option: Option) => ({ flag: longOf(option), attribute: option.attributeName() }))
  return [...options, ...(source.settings ?? []).map((name) => ({ flag: `--${name}`, attribute: name }))]
}

function longOf(option: Option): string {
  return option.long ?? option.flags
}
