import type { Logger } from '../../../log.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { LineWarnings } from '../bad-lines.ts'
import type { FieldText } from '../price-line.ts'
import type { SymbolForm } from '../symbol-forms.ts'
import type { TimeZone } from './time-zone.ts'
import type { TimestampKind, TimestampReader } from './timestamp-reader.ts'

export interface TimeNoteOptions {
  readonly path: string
  readonly log: Logger
  readonly clock: Clock
  /** The zone of times without an offset; undefined means UTC. */
  readonly zone: TimeZone | undefined
  /** Whether the file itself says that its times are UTC. */
  readonly isUtc: boolean
}

/** Logs how timestamps are interpreted, so that the user can notice a wrong guess. */
export class TimeNotes {
  readonly #options: TimeNoteOptions
  readonly #kinds = new Set<TimestampKind>()
  readonly #doubtful: LineWarnings
  /** The kind of the last timestamp. Each kind is logged once, so further timestamps of this kind need no message. */
  #lastKind: TimestampKind | undefined
  #hasToldZone: boolean
  #hasToldDays = false

  constructor(options: TimeNoteOptions) {
    this.#options = options
    this.#doubtful = new LineWarnings({ ...options, what: 'such lines' })
    this.#hasToldZone = options.isUtc || options.zone !== undefined
  }

  /** Whether there is nothing to log about a timestamp. */
  isUsual(time: TimestampReader): boolean {
    return time.kind === this.#lastKind && (!time.isLocal || (this.#hasToldZone && time.localCase === 'once'))
  }

  note(time: TimestampReader, text: FieldText, place: string): void {
    const { path, log, zone } = this.#options
    this.#lastKind = time.kind
    if (!this.#kinds.has(time.kind)) {
      this.#kinds.add(time.kind)
      log.info(`${path} ${place}: timestamps are ${time.kind}`)
    }
    if (time.isLocal && !this.#hasToldZone) {
      this.#hasToldZone = true
      log.info(`${path} ${place}: times without an offset are read as UTC; --time-zone names another zone`)
    }
    if (time.localCase === 'once') return
    const how = time.localCase === 'twice' ? 'occurs twice' : 'does not exist'
    this.#doubtful.warn(
      `${path} ${place}: its time ${text.excerpt()} ${how} in ${zone?.name}: the earlier instant is sent`,
    )
  }

  /** Records the day of a line without a time of day: several lines of one symbol and day fall into one window. */
  noteDay(form: SymbolForm, dayUs: number, place: string): void {
    const isSecond = form.lastDayUs === dayUs
    form.lastDayUs = dayUs
    if (!isSecond || this.#hasToldDays) return
    this.#hasToldDays = true
    const { path, log } = this.#options
    log.warn(
      `${path} ${place}: another row of ${form.bytes.toString()} of the same day: they fall into one window; a column of the time of day is read with --map 'timestamp=DATE+TIME'`,
    )
  }
}
