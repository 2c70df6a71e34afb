import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import { type DashboardBuilder, type Panel, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

/** A row of the dashboard: panels below a heading. */
export interface Section {
  readonly title: string
  readonly panels: readonly (Builder<Panel> & { id(id: number): unknown })[]
}

/** Panels are numbered by position, so that links to a panel remain valid as long as its position does not change. */
export function dashboardOf(board: DashboardBuilder, sections: readonly Section[]): DashboardBuilder {
  let id = 0
  for (const { title, panels } of sections) {
    id += 1
    board.withRow(new RowBuilder(title).id(id))
    for (const panel of panels) {
      id += 1
      panel.id(id)
      board.withPanel(panel)
    }
  }
  return board
}
