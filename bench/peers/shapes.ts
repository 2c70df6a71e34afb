/** How the messages of a topic spread: over few rows or over many. */
export interface Shape {
  readonly symbols: number
  /** Of five minutes. */
  readonly windows: number
}

export const shapes = {
  narrow: { symbols: 50, windows: 7 },
  wide: { symbols: 500, windows: 67 },
} as const satisfies Record<string, Shape>

export type ShapeName = keyof typeof shapes
export const shapeNames = Object.keys(shapes) as ShapeName[]
