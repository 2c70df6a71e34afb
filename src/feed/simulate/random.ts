/**
 * The small fast counter generator (sfc32) of Chris Doty-Humphrey: it passes PractRand, has 128 bits of state and
 * needs four additions per number. It is seeded by text, so that every symbol can have its own stream.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #d = 1
  #spare: number | undefined

  constructor(seed: string) {
    // Three FNV-1a hashes with different offsets.
    this.#a = hash(seed, 0x811c9dc5)
    this.#b = hash(seed, 0x9e3779b9)
    this.#c = hash(seed, 0x85ebca6b)
    for (let i = 0; i < 15; i++) this.#next()
  }

  /** Uniform in [0, 1), 32 bits. */
  uniform(): number {
    return this.#next() / 4_294_967_296
  }

  /** Uniform over 0, 1, …, n − 1. */
  below(n: number): number {
    return Math.floor(this.uniform() * n)
  }

  /** Standard normal, by Marsaglia's polar method. */
  normal(): number {
    const spare = this.#spare
    if (spare !== undefined) {
      this.#spare = undefined
      return spare
    }
    for (;;) {
      const x = 2 * this.uniform() - 1
      const y = 2 * this.uniform() - 1
      const square = x * x + y * y
      if (square >= 1 || square === 0) continue
      const scale = Math.sqrt((-2 * Math.log(square)) / square)
      this.#spare = y * scale
      return x * scale
    }
  }

  #next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + t) | 0
    return t >>> 0
  }
}

function hash(text: string, offset: number): number {
  let h = offset
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h | 0
}
