// @ts-check

/** Something a person has to put right before we can go on, told in one line. */
export class Problem extends Error {}
