/** Wrong usage of a command that does not check anything. */
export const exitUsage = 2

/** A check could not be made: wrong arguments, or the check itself failed. */
export const exitUnknown = 3
