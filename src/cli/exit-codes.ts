/** Of wrong usage of a command that does something. */
export const exitUsage = 2

/** Of a check that could not be made: bad arguments, or a failure of its own. */
export const exitUnknown = 3
