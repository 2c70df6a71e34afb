/** Which faults are at work, so that it can be told what they excuse. */
export class FaultBook {
  readonly #active = new Set<object>()
  #lastEndMs = Number.NEGATIVE_INFINITY

  /** @returns Notes its end. */
  begin(): () => void {
    const fault = {}
    this.#active.add(fault)
    return () => {
      this.#active.delete(fault)
      this.#lastEndMs = performance.now()
    }
  }

  /** Whether one was at work then or later; what it leaves behind takes a moment to go. */
  wasDisturbedSince(sinceMs: number): boolean {
    return this.#active.size > 0 || this.#lastEndMs > sinceMs - aftermathMs
  }
}

const aftermathMs = 5000
