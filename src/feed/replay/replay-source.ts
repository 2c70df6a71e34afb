import { KpiError } from '../../errors.ts'
import { MessageBatch } from '../../kafka/message-batch.ts'
import type { Logger } from '../../log.ts'
import { batchLimits, type Clock, type PriceSource, type Replay } from '../source.ts'
import { BadLines } from './bad-lines.ts'
import type { FieldMapping } from './field-names.ts'
import { MarkWriter, newPass, passText } from './line-mark.ts'
import { LineReader } from './line-reader.ts'
import { openFormat } from './open-format.ts'
import { Pace } from './pace.ts'
import { FieldText, type LineFormat, PriceLine } from './price-line.ts'
import { PriceWriter } from './price-writer.ts'
import type { ReplayFile } from './replay-file.ts'
import { ResumePlaces } from './resume-places.ts'
import type { ResumePoint } from './resume-point.ts'
import { type SymbolForm, SymbolForms } from './symbol-forms.ts'
import { type TimestampKind, TimestampReader } from './timestamp-reader.ts'

export interface ReplayOptions {
  readonly file: ReplayFile
  readonly partitionCount: number
  /** Where to go on; undefined: with the first line. */
  readonly resume: ResumePoint | undefined
  /** Infinity: as fast as it goes. */
  readonly speed: number
  /** Send the time at which a line was due instead of the recorded one. */
  readonly shiftToNow: boolean
  readonly mapping: FieldMapping
  /** The symbol of all lines, whatever they say. */
  readonly symbol: string | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** The lines of a file, as messages that name their line in a header. */
export class ReplaySource implements PriceSource {
  readonly description: string
  readonly #options: ReplayOptions
  readonly #reader: LineReader
  readonly #format: LineFormat
  readonly #bad: BadLines
  readonly #pace: Pace
  readonly #marks: MarkWriter
  readonly #forms: SymbolForms
  readonly #places: ResumePlaces
  readonly #writer = new PriceWriter()
  readonly #batch = new MessageBatch(batchLimits)
  readonly #kinds = new Set<TimestampKind>()
  /** The line at hand, which may be waiting for its time. */
  readonly #line = new PriceLine()
  readonly #time = new TimestampReader()
  readonly #symbol = new FieldText()
  #form: SymbolForm | undefined
  #made = 0
  /** The latest time of a line that was made into a message. */
  #latestUs = Number.NEGATIVE_INFINITY
  #isAtEnd = false

  /** @throws KpiError `KPI_FEED_FILE` when it is no file of prices. */
  static async open(options: ReplayOptions): Promise<ReplaySource> {
    const { file, mapping, symbol } = options
    const reader = new LineReader(file)
    const format = await openFormat(reader, { path: file.path, mapping, hasSymbol: symbol !== undefined })
    return new ReplaySource(options, reader, format)
  }

  private constructor(options: ReplayOptions, reader: LineReader, format: LineFormat) {
    const { file, partitionCount, resume, clock, log, symbol } = options
    this.#options = options
    this.#reader = reader
    this.#format = format
    this.#bad = new BadLines({ path: file.path, log, clock })
    this.#pace = new Pace({ speed: options.speed, isShifted: options.shiftToNow })
    this.#marks = new MarkWriter(passText(resume?.pass ?? newPass(file.prefix, clock.now(), partitionCount)))
    this.#forms = new SymbolForms(partitionCount)
    this.#places = new ResumePlaces(file.path, resume?.lines ?? new Map(), partitionCount)
    if (symbol !== undefined) this.#symbol.set(Buffer.from(symbol), 0, Buffer.byteLength(symbol))
    this.description = describe(options, format)
    const { line, position } = this.#places.first
    // From the byte before it, so that a file whose lines have moved shows.
    if (line > 1 && !file.isGzip) reader.seek(line - 1, position - 1)
  }

  get rejectedCount(): number {
    return this.#bad.count
  }

  get replay(): Replay | undefined {
    if (this.#options.shiftToNow) return undefined
    const eventAtMs = Number.isFinite(this.#latestUs) ? this.#latestUs / 1000 : null
    return { eventAtMs, isPaced: this.#pace.isPaced }
  }

  async next(signal: AbortSignal): Promise<MessageBatch | undefined> {
    const { clock } = this.#options
    this.#batch.clear()
    // To ask a signal costs as much as to split a line, and a batch is made within milliseconds.
    for (let isStopped = signal.aborted; !isStopped && !this.#batch.isFull; ) {
      this.#form ??= this.#readForm() ?? (await this.#nextForm(signal))
      if (this.#form === undefined) break
      const waitMs = this.#pace.isPaced ? this.#pace.waitMs(this.#time.us, clock.now()) : 0
      if (waitMs > 0 && this.#batch.count > 0) break
      if (waitMs > 0) {
        await clock.sleep(waitMs, signal)
        isStopped = signal.aborted
      } else this.#make(this.#form)
    }
    this.#made += this.#batch.count
    if (this.#batch.count > 0) return this.#batch
    if (this.#isAtEnd) this.#end()
    return undefined
  }

  async stop(): Promise<void> {
    await this.#options.file.close()
  }

  /** Moves to the next line that is to be sent. @returns Its symbol's form; undefined at the end, or when it has to stop. */
  async #nextForm(signal: AbortSignal): Promise<SymbolForm | undefined> {
    while (await this.#reader.fill()) {
      const form = this.#readForm()
      // A packed file of which all was sent is long, and holds nothing that would interrupt this.
      if (form || signal.aborted) return form
    }
    const last = this.#readForm()
    this.#isAtEnd = last === undefined
    return last
  }

  /** The same among the lines in memory. */
  #readForm(): SymbolForm | undefined {
    const reader = this.#reader
    while (reader.next()) {
      if (reader.line <= this.#places.lastLine) {
        if (reader.line < this.#places.first.line) continue
        this.#places.check(reader.line, reader.position)
      }
      const state = reader.isTooLong ? 'too long' : this.#format.read(this.#line)
      if (state === 'price') {
        const form = this.#examine()
        if (form) return form
      } else if (state === 'unfinished') {
        reader.putBack()
        return undefined
      } else if (state !== 'blank') this.#refuse(state === 'bad' ? this.#format.problem : 'longer than 1 MiB')
    }
    return undefined
  }

  /** Looks at the line at hand. @returns undefined when it is bad, or in the topic already. */
  #examine(): SymbolForm | undefined {
    const line = this.#line
    const symbol = this.#symbol.isAbsent ? line.symbol : this.#symbol
    if (symbol.isAbsent) return this.#refuse('no symbol')
    if (line.timestamp.isAbsent) return this.#refuse('no timestamp')
    if (line.close.isAbsent) return this.#refuse('no close')
    const form = this.#forms.find(symbol)
    if (this.#places.isSent(this.#reader.line, form.partition)) return undefined
    if (!this.#time.read(line.timestamp)) {
      return this.#refuse(`its timestamp ${line.timestamp.excerpt()} is neither RFC 3339 nor time since 1970`)
    }
    if (this.#options.shiftToNow || !this.#time.isMessageForm) line.message.clear()
    if (!this.#kinds.has(this.#time.kind)) this.#tellKind()
    return form
  }

  #make(form: SymbolForm): void {
    this.#form = undefined
    if (this.#time.us > this.#latestUs) this.#latestUs = this.#time.us
    const { line, position } = this.#reader
    const price = { line: this.#line, form, time: this.#time }
    const at = this.#batch.reserve(this.#writer.roomFor(this.#line, form) + this.#marks.maxBytes)
    const shiftedUs = this.#options.shiftToNow
      ? this.#pace.shiftedUs(this.#time.us, this.#options.clock.now())
      : Number.NaN
    const end = this.#writer.write(this.#batch, at, price, shiftedUs)
    if (end < 0) this.#refuse(this.#writer.problem)
    else this.#batch.commit(form.key, end, this.#marks.write(this.#batch.bytes, end, line, position))
  }

  #refuse(problem: string): undefined {
    this.#bad.report(this.#reader.line, problem)
  }

  /** What is taken for what must not be a secret. */
  #tellKind(): void {
    this.#kinds.add(this.#time.kind)
    const { file, log } = this.#options
    log.info(`${file.path} line ${this.#reader.line}: timestamps are ${this.#time.kind}`)
  }

  #end(): void {
    this.#places.checkEnd(this.#reader.line)
    const { file, resume, log } = this.#options
    if (this.#made === 0 && this.#bad.first !== undefined && !resume) {
      throw new KpiError('KPI_FEED_FILE', `no line of ${file.path} is a price; the first, ${this.#bad.first}`)
    }
    this.#bad.sum()
    if (this.#made === 0 && resume) log.info(`nothing of ${file.path} is new to the topic; --from-start sends it again`)
  }
}

function describe({ file, speed, shiftToNow, resume }: ReplayOptions, format: LineFormat): string {
  const rate = Number.isFinite(speed) ? `${speed} times as fast as recorded` : 'as fast as it goes'
  const times = shiftToNow ? 'with the times of now' : 'with the recorded times'
  const lines = [...(resume?.lines.values() ?? [])].map(({ line }) => line)
  const from = lines.length > 0 ? `, going on behind line ${Math.max(...lines)}` : ''
  return `${file.path} (${file.isGzip ? 'gzip, ' : ''}${format.description}), ${rate}, ${times}${from}`
}
