import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { type Limits, stepsOf } from './colours.ts'
import { lettered } from './data-sources.ts'

/** Options of all panels. */
interface Shown {
  readonly title: string
  /** One sentence, shown by the panel's info icon. */
  readonly about: string
  /** A unit of Grafana, such as s, bytes, percentunit, short. */
  readonly unit?: string
  readonly queries: readonly Builder<Dataquery>[]
  /** The limits above which the value is shown as warning and critical. */
  readonly limits?: Limits
}

/** Size in units of Grafana's grid, which is 24 units wide. */
interface Size {
  readonly width: number
  readonly height?: number
}

/** A panel with one coloured number, and its curve in the background. */
export function stat(
  shown: Shown & Size & { readonly words?: Readonly<Record<string, [string, string]>> },
): StatBuilder {
  const panel = new StatBuilder()
    .title(shown.title)
    .description(shown.about)
    .span(shown.width)
    .height(shown.height ?? 4)
    .unit(shown.unit ?? 'short')
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .noValue('unknown')
    .thresholds(stepsOf(shown.limits))
    .targets(lettered(shown.queries))
  return shown.words ? panel.mappings([wordsFor(shown.words)]).graphMode(BigValueGraphMode.None) : panel
}

/** A panel with curves; the limits are dashed lines. */
export function graph(shown: Shown & Size & { readonly max?: number; readonly fromZero?: boolean }): GraphBuilder {
  const panel = new GraphBuilder()
    .title(shown.title)
    .description(shown.about)
    .span(shown.width)
    .height(shown.height ?? 8)
    .unit(shown.unit ?? 'short')
    .fillOpacity(10)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .thresholds(stepsOf(shown.limits))
    .thresholdsStyle(
      new GraphThresholdsStyleConfigBuilder().mode(
        shown.limits ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off,
      ),
    )
    .targets(lettered(shown.queries))
  // The axis starts at 0 except for prices, which vary far from 0. No other value is negative.
  if (shown.fromZero ?? true) panel.min(0)
  if (shown.max !== undefined) panel.max(shown.max)
  return panel
}

export function table(shown: Shown & Size): TableBuilder {
  return new TableBuilder()
    .title(shown.title)
    .description(shown.about)
    .span(shown.width)
    .height(shown.height ?? 9)
    .unit(shown.unit ?? 'short')
    .targets(lettered(shown.queries))
}

/** Shows words with colours instead of numbers. */
export function wordsFor(words: Readonly<Record<string, readonly [text: string, color: string]>>): ValueMapping {
  const options = Object.entries(words).map(([value, [text, color]], index) => [value, { text, color, index }])
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) }
}
