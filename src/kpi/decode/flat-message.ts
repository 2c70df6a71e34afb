/** Where the scan puts what it reads. Numbers that may be large begin as NaN there, so that V8 keeps doubles in place. */
export interface FlatMessage {
  symbolStart: number
  symbolEnd: number
  timestampUs: number
  open: number
  high: number
  low: number
  close: number
  volume: number
}
