import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import { type DashboardBuilder, type Panel, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

/** Panels under one heading. */
export interface Section {
  readonly title: string
  readonly panels: readonly (Builder<Panel> & { id(id: number): unknown })[]
}

/** Ids are by place, so that links to a panel hold for as long as it stays where it is. */
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
