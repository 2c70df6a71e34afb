import { KpiError } from '../../../errors.ts'
import { basesOf, volumeChoice } from '../csv/csv-columns.ts'
import { columnPlaces, columnTimes, describe } from '../csv/open-csv.ts'
import { type SourceMapping, splitMapping } from '../field-names.ts'
import { recogniseLayout } from '../layouts.ts'
import type { LineFormat, RecordReader } from '../price-line.ts'
import type { FormatOptions } from '../read-options.ts'
import { type TimeChoice, TimeColumns } from '../time/time-columns.ts'
import { ArrayFormat } from './array-format.ts'
import { isFrameMapping } from './frame-format.ts'
import { JsonFormat } from './json-format.ts'
import { bestName, isObject, surveyJson, textMembers, textOf, valueAt } from './json-survey.ts'
import { openFrames } from './open-frames.ts'

/** How to read the lines, or elements, of a JSON file. */
export interface OpenedJson {
  readonly format: LineFormat
  readonly time: TimeChoice
}

const noTime: TimeChoice = { timestamp: '', clock: undefined, isCompact: false, isUtc: false, isFirst: true }

/** @throws KpiError `KPI_FEED_FILE` for arrays if the user did not say which index is which field. */
export async function openArrays(reader: RecordReader, options: FormatOptions, what: string): Promise<OpenedJson> {
  const { path, columns } = options
  if (!columns) throw await withoutColumns(reader, options, what)
  const places = columnPlaces(options)
  const times = columnTimes(options)
  await surveyJson(reader, (value) => times.add((column) => textOf(valueAt(value, [String(column)])) ?? ''))
  const description = describe(`JSON ${what}`, places, (column) => `value ${column + 1}`)
  return { format: new ArrayFormat(reader, { places, description }), time: times.choose(path) }
}

async function withoutColumns(reader: RecordReader, { path, symbol }: FormatOptions, what: string): Promise<KpiError> {
  let cells: string[] | undefined
  await surveyJson(reader, (value) => {
    if (Array.isArray(value)) cells ??= value.map((cell) => textOf(cell) ?? String(cell))
  })
  const found = cells && recogniseLayout(cells)
  const needsSymbol = symbol === undefined && !found?.columns.startsWith('symbol') ? ' and --symbol NAME' : ''
  const advice = found
    ? `if the values are what they look like, read it with --columns ${found.columns}${needsSymbol}${found.layout === undefined ? '' : `, which is --layout ${found.layout}`}`
    : 'name the places of their values with --columns, such as --columns timestamp,close,volume (- for one that is not read)'
  return new KpiError('KPI_FEED_FILE', `${path} consists of ${what} that are arrays: ${advice}`)
}

/** @throws KpiError `KPI_FEED_FILE`. */
export async function openObjects(reader: RecordReader, options: FormatOptions, what: string): Promise<OpenedJson> {
  const { path, columns, mapping = new Map() } = options
  if (columns) {
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path} consists of ${what} that are objects: name their members with --map FIELD=PATH; --columns is for arrays`,
    )
  }
  if (isFrameMapping(mapping)) {
    const { format, time } = await openFrames(reader, options)
    return { format, time: time ?? noTime }
  }
  const survey = await surveyObjects(reader, options)
  const { names, symbols, time } = survey
  const bases = basesOf(names, symbols)
  const volume = mapping.has('volume') ? undefined : bestName(names, 'volume', bases)
  const note = volume === undefined ? undefined : volumeChoice(volume, names, bases)
  if (note !== undefined) options.log.info(`${path}: ${note}`)
  const format = new JsonFormat(reader, {
    mapping: survey.mapping,
    bases,
    hasSymbol: options.symbol !== undefined,
    hasSigns: options.signs !== undefined,
    description: describeMapping(what, survey.mapping),
  })
  return { format, time: time ?? noTime }
}

interface ObjectSurvey {
  readonly names: readonly string[]
  readonly symbols: ReadonlySet<string>
  readonly time: TimeChoice | undefined
  /** The user's mapping, and the detected members of a date and a time of day. */
  readonly mapping: SourceMapping
}

async function surveyObjects(reader: RecordReader, options: FormatOptions): Promise<ObjectSurvey> {
  const { path, symbol: told, timeFormat } = options
  const names = new Set<string>()
  const symbols = new Set<string>(told === undefined ? [] : [told])
  let mapping: SourceMapping | undefined
  let times: TimeColumns | undefined
  await surveyJson(reader, (value) => {
    if (!isObject(value)) return
    mapping ??= splitMapping(options.mapping ?? new Map(), (name) => valueAt(value, name.split('.')) !== undefined)
    times ??= new TimeColumns({ timestamp: mapping.get('timestamp'), clock: mapping.get('clock') }, timeFormat)
    const symbol = told ?? textOf(valueAt(value, (mapping.get('symbol') ?? symbolName(value)).split('.'))) ?? ''
    if (symbol !== '') symbols.add(symbol)
    for (const [name, text] of textMembers(value)) {
      names.add(name)
      times.add(name, text, symbol)
    }
    const mapped = mapping.get('timestamp')
    if (mapped?.includes('.')) times.add(mapped, textOf(valueAt(value, mapped.split('.'))) ?? '', symbol)
  })
  const time = times?.choose(path)
  const split = new Map(mapping ?? splitMapping(options.mapping ?? new Map(), () => false))
  if (time && !split.has('timestamp') && !time.isFirst) {
    split.set('timestamp', time.timestamp)
    if (time.clock !== undefined) split.set('clock', time.clock)
  }
  return { names: [...names], symbols, time, mapping: split }
}

function symbolName(value: Readonly<Record<string, unknown>>): string {
  return bestName(Object.keys(value), 'symbol') ?? ''
}

function describeMapping(what: string, mapping: SourceMapping): string {
  return `JSON ${what}${[...mapping].map(([field, path]) => `, ${field === 'clock' ? 'its time of day' : field} from '${path}'`).join('')}`
}
