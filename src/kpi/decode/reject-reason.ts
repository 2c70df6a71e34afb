/** Why a message is rejected, in the order of the checks: the first that fails is the reason (docs/message-format.md). */
export const rejectReasons = [
  'empty',
  'too_large',
  'not_json',
  'not_object',
  'missing_field',
  'bad_symbol',
  'bad_timestamp',
  'bad_number',
  'negative_volume',
  'future_timestamp',
] as const

export type RejectReason = (typeof rejectReasons)[number]
