import { KpiError } from '../../errors.ts'
import { MessageBatch } from '../../kafka/records/message-batch.ts'
import { MessageDecoder, type RejectReason } from '../../kpi/decode/message.ts'
import type { Logger } from '../../log.ts'
import { pause } from '../../runtime/abort.ts'
import type { Clock } from '../../runtime/clock.ts'
import { batchLimits, type PriceSource, type Replay } from '../source.ts'
import { BadLines } from './bad-lines.ts'
import { type LinePlace, MarkWriter, newPass, passText } from './line-mark.ts'
import { LineReader } from './line-reader.ts'
import { type OpenedFormat, openFormat } from './open-format.ts'
import { Pace } from './pace.ts'
import { PrecisionWatch } from './precision.ts'
import { FieldText, type LineFormat, PriceLine, type RecordReader } from './price-line.ts'
import { PriceWriter } from './price-writer.ts'
import type { ReadOptions } from './read-options.ts'
import type { ReplayFile } from './replay-file.ts'
import { ResumePlaces } from './resume-places.ts'
import type { ResumePoint } from './resume-point.ts'
import { type SymbolForm, SymbolForms } from './symbol-forms.ts'
import { TimeNotes } from './time/time-notes.ts'
import { TimestampReader } from './time/timestamp-reader.ts'

export interface ReplayOptions extends ReadOptions {
  readonly file: ReplayFile
  readonly partitionCount: number
  /** Where to continue; undefined to start with the first line. */
  readonly resume: ResumePoint | undefined
  /** Infinity means as fast as possible. */
  readonly speed: number
  /** Send the time at which a line was due, instead of its recorded time. */
  readonly shiftToNow: boolean
  /** How far a timestamp may be ahead of the current time. The consumer rejects later ones. */
  readonly maxFutureSeconds: number
  /** Fractional digits that the database stores. */
  readonly decimals: number
  readonly clock: Clock
  readonly log: Logger
}

/** Sends the lines of a file as messages. A header of each message names its line. */
export class ReplaySource implements PriceSource {
  readonly description: string
  readonly #options: ReplayOptions
  readonly #reader: RecordReader
  readonly #format: LineFormat
  readonly #bad: BadLines
  readonly #pace: Pace
  readonly #marks: MarkWriter
  readonly #forms: SymbolForms
  readonly #places: ResumePlaces
  readonly #writer: PriceWriter
  readonly #decoder: MessageDecoder
  readonly #precision: PrecisionWatch
  readonly #batch = new MessageBatch(batchLimits)
  /** The current line, which may be waiting until it is due. */
  readonly #line = new PriceLine()
  /** The index of the current price in a line that holds several. */
  #element = 0
  readonly #time: TimestampReader
  readonly #timeNotes: TimeNotes
  /** Whether the time of day is in a column of its own. */
  readonly #hasClock: boolean
  readonly #symbol = new FieldText()
  #form: SymbolForm | undefined
  #rejection: RejectReason | undefined
  #made = 0
  /** The latest timestamp of all messages so far. */
  #latestUs = Number.NEGATIVE_INFINITY
  /** When the current batch was started. */
  #nowMs = 0
  /** Messages with a later timestamp are rejected. */
  #limitUs = 0
  #isAtEnd = false
  #hasTakenWords = false

  /** @throws KpiError `KPI_FEED_FILE` if the file does not contain prices. */
  static async open(options: ReplayOptions): Promise<ReplaySource> {
    return new ReplaySource(options, await openFormat(options.file, { ...options, path: options.file.path }))
  }

  private constructor(options: ReplayOptions, { reader, format, time }: OpenedFormat) {
    const { file, partitionCount, resume, clock, log, symbol, maxFutureSeconds, decimals, timeZone: zone } = options
    this.#options = options
    this.#reader = reader
    this.#format = format
    this.#bad = new BadLines({ path: file.path, log, clock })
    this.#pace = new Pace({ speed: options.speed, isShifted: options.shiftToNow })
    this.#marks = new MarkWriter(passText(resume?.pass ?? newPass(file.prefix, clock.wallMs(), partitionCount)))
    this.#forms = new SymbolForms(partitionCount)
    this.#places = new ResumePlaces(file.path, resume?.lines ?? new Map(), partitionCount)
    this.#writer = new PriceWriter(options.signs)
    this.#precision = new PrecisionWatch({ decimals, report: (text) => log.warn(`${file.path}: ${text}`) })
    this.#decoder = new MessageDecoder({
      maxFutureSeconds,
      decimals,
      onPrecisionLost: (loss) => this.#precision.note(loss),
    })
    const { timeFormat: timing, barSeconds, signs } = options
    const isCompact = time.isCompact
    this.#time = new TimestampReader({ format: timing, zone, isCompact, barSeconds, decimal: signs?.decimal ?? '.' })
    this.#timeNotes = new TimeNotes({ path: file.path, log, clock, zone, isUtc: time.isUtc })
    this.#hasClock = time.clock !== undefined
    if (symbol !== undefined) this.#symbol.set(Buffer.from(symbol), 0, Buffer.byteLength(symbol))
    this.description = describe(options, format)
    const { line, position } = this.#places.first
    // Starts one byte before the line, so that a file whose lines have moved is detected.
    if (line > 1 && file.isSeekable && reader instanceof LineReader) reader.seek(line - 1, position - 1)
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
    const { clock, maxFutureSeconds } = this.#options
    this.#batch.clear()
    this.#nowMs = clock.wallMs()
    this.#limitUs = this.#nowMs * 1000 + maxFutureSeconds * 1e6
    // Reading signal.aborted costs as much as splitting a line, and a batch takes only milliseconds, so it is read
    // once.
    for (let isStopped = signal.aborted; !isStopped && !this.#batch.isFull; ) {
      this.#form ??= this.#readForm() ?? (await this.#nextForm(signal))
      if (this.#form === undefined) break
      const waitMs = this.#pace.isPaced ? this.#pace.waitMs(this.#time.us, clock.wallMs()) : 0
      if (waitMs > 0 && this.#batch.count > 0) break
      if (waitMs > 0) {
        await pause(waitMs, signal, clock)
        isStopped = signal.aborted
      } else this.#make(this.#form)
    }
    this.#made += this.#batch.count
    this.#precision.flush()
    if (this.#batch.count > 0) return this.#batch
    if (this.#isAtEnd) this.#end()
    return undefined
  }

  async stop(): Promise<void> {
    await this.#options.file.close()
  }

  /**
   * Moves to the next line to send. @returns The form of its symbol; undefined at the end, or when the signal is
   * aborted.
   */
  async #nextForm(signal: AbortSignal): Promise<SymbolForm | undefined> {
    while (await this.#reader.fill()) {
      const form = this.#readForm()
      // Check the signal here: skipping the sent lines of a long packed file takes time and has no other point to
      // stop.
      if (form || signal.aborted) return form
    }
    const last = this.#readForm()
    this.#isAtEnd = last === undefined
    return last
  }

  /** Like `#nextForm`, but only for lines in memory. */
  #readForm(): SymbolForm | undefined {
    for (;;) {
      const state = this.#format.hasMore ? this.#readMore() : this.#readNext()
      if (state === 'none') return undefined
      if (state === 'price') {
        const form = this.#examine()
        if (form) return form
      } else if (state === 'unfinished') {
        this.#reader.putBack()
        return undefined
      } else if (state === 'too long') this.#refuse('longer than 1 MiB')
      else if (state === 'bad') this.#refuse(this.#format.problem)
    }
  }

  /** The next line, unless it is before all lines that must be sent, regardless of its partition. */
  #readNext(): 'price' | 'blank' | 'unfinished' | 'bad' | 'too long' | 'none' {
    const reader = this.#reader
    if (!reader.next()) return 'none'
    this.#element = 0
    if (reader.line <= this.#places.lastLine) {
      if (reader.line < this.#places.first.line) return 'blank'
      this.#places.check(reader.line, reader.position)
    }
    return reader.isTooLong ? 'too long' : this.#format.read(this.#line)
  }

  #readMore(): 'price' | 'bad' {
    this.#element += 1
    return this.#format.readMore(this.#line)
  }

  /** Checks the current line. @returns undefined if it is invalid, or already in the topic. */
  #examine(): SymbolForm | undefined {
    const line = this.#line
    const symbol = this.#symbol.isAbsent ? line.symbol : this.#symbol
    if (symbol.isAbsent) return this.#refuse('no symbol')
    if (line.timestamp.isAbsent) return this.#refuse('no timestamp')
    if (line.close.isAbsent) return this.#refuse('no close')
    const form = this.#forms.find(symbol)
    if (this.#places.isSent(this.#reader.line, this.#element, form.partition)) return undefined
    const time = this.#time
    if (!time.read(line.timestamp, this.#hasClock ? line.clock : undefined)) return this.#refuse(time.problem)
    const isAsItStands = time.isMessageForm && (time.isNumber || !hasBlanksAround(line.timestamp))
    if (this.#options.shiftToNow || !isAsItStands) line.message.clear()
    if (!this.#timeNotes.isUsual(time)) this.#timeNotes.note(time, line.timestamp, this.#reader.place)
    if (time.kind === 'dates') this.#timeNotes.noteDay(form, time.us, this.#reader.place)
    return form
  }

  #make(form: SymbolForm): void {
    this.#form = undefined
    const price = { line: this.#line, form, time: this.#time }
    const at = this.#batch.reserve(this.#writer.roomFor(this.#line, form) + this.#marks.maxBytes)
    const isShifted = this.#options.shiftToNow
    const shiftedUs = isShifted ? this.#pace.shiftedUs(this.#time.us, this.#options.clock.wallMs()) : Number.NaN
    const end = this.#writer.write(this.#batch, at, price, shiftedUs)
    if (end < 0) {
      this.#refuse(this.#writer.problem)
      return
    }
    if (this.#isAccepted(form, at, end)) {
      if (this.#time.us > this.#latestUs) this.#latestUs = this.#time.us
      this.#batch.commit(form.key, end, this.#marks.write(this.#batch.bytes, end, this.#place()))
    } else this.#refuse(`${this.#rejection}: ${this.#decoder.detail}`)
    if (this.#writer.isWithoutVolume) this.#tellWords()
  }

  /** Whether the consumer accepts the message. Where that is certain, its decoder is not called. */
  #isAccepted(form: SymbolForm, at: number, end: number): boolean {
    const { shiftToNow } = this.#options
    if (form.isAccepted && this.#writer.areNumbersSure && this.#time.us <= this.#limitUs && !shiftToNow) return true
    this.#rejection = this.#decoder.decode(this.#batch.bytes, at, end, this.#nowMs)
    form.isAccepted ||= this.#rejection === undefined
    return this.#rejection === undefined
  }

  #place(): LinePlace {
    const { line, position } = this.#reader
    return { line, element: this.#element, position }
  }

  #refuse(problem: string): undefined {
    this.#bad.report(this.#reader.place, problem)
  }

  /** Warns about words in place of a volume. */
  #tellWords(): void {
    this.#writer.isWithoutVolume = false
    if (this.#hasTakenWords) return
    this.#hasTakenWords = true
    const { file, log } = this.#options
    log.info(
      `${file.path} ${this.#reader.place}: its volume ${this.#line.volume.excerpt()} means none, so 0 is sent; the same of other lines`,
    )
  }

  #end(): void {
    this.#places.checkEnd(this.#reader.line)
    const { file, resume, log } = this.#options
    if (this.#made === 0 && !resume) {
      const why = this.#bad.first === undefined ? ': there is none below its header' : `; the first, ${this.#bad.first}`
      throw new KpiError('KPI_FEED_FILE', `no line of ${file.path} is a price${why}`)
    }
    this.#bad.sum()
    if (this.#made === 0 && resume) log.info(`nothing of ${file.path} is new to the topic; --from-start sends it again`)
  }
}

function describe({ file, speed, shiftToNow, resume }: ReplayOptions, format: LineFormat): string {
  const rate = Number.isFinite(speed) ? `${speed} times as fast as recorded` : 'as fast as it goes'
  const times = shiftToNow ? 'with the times of now' : 'with the recorded times'
  const lines = [...(resume?.lines.values() ?? [])].map(({ line }) => line)
  const packed = file.packing === 'none' ? '' : `${file.packing}, `
  const encoded = file.encoding === 'utf-8' ? '' : `${file.encoding.toUpperCase()}, `
  const from = lines.length > 0 ? `, continuing after line ${Math.max(...lines)}` : ''
  return `${file.path} (${packed}${encoded}${format.description}), ${rate}, ${times}${from}`
}

/** Whether spaces around the text were dropped. The consumer would reject an unchanged message that has them. */
function hasBlanksAround({ bytes, start, end }: FieldText): boolean {
  return isBlank(bytes[start - 1]) || isBlank(bytes[end])
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09
}
