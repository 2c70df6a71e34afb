import { KpiError } from '../../../errors.ts'
import { splitMapping } from '../field-names.ts'
import { type RecordReader, type SourceField, sourceFields } from '../price-line.ts'
import type { FormatOptions } from '../read-options.ts'
import { type TimeChoice, TimeColumns } from '../time/time-columns.ts'
import { eachElement, FrameFormat, type FramePaths, framePaths } from './frame-format.ts'
import { bestName, surveyJson, textMembers, textOf, valueAt } from './json-survey.ts'

/** A frame may have thousands of elements, all of the same form, so only this many are examined. */
const mostElements = 10

/**
 * Opens a file of live-feed frames, which contain an array of prices. Fields that the user did not map are found by
 * their usual names in the elements, then in the frame around them.
 *
 * @throws KpiError `KPI_FEED_FILE` if the paths lead into several arrays.
 */
export async function openFrames(
  reader: RecordReader,
  options: FormatOptions,
): Promise<{ readonly format: FrameFormat; readonly time: TimeChoice | undefined }> {
  const { path, timeFormat, symbol } = options
  const mapping = new Map<SourceField, string>(splitMapping(options.mapping ?? new Map(), () => false))
  const paths = framePaths(mapping)
  if (!paths) {
    throw new KpiError(
      'KPI_FEED_FILE',
      `${path}: --map has to name one array: all paths with ${eachElement} have it once, behind the same names`,
    )
  }
  if (symbol !== undefined) mapping.delete('symbol')
  const times = new TimeColumns({ timestamp: mapping.get('timestamp'), clock: mapping.get('clock') }, timeFormat)
  const pathOf = await survey(reader, { paths, mapping, times })
  const time = times.choose(path)
  for (const field of sourceFields) {
    if (mapping.has(field) || (field === 'symbol' && symbol !== undefined)) continue
    if (field === 'clock' && mapping.get('timestamp') !== pathOf.get(time?.timestamp ?? '')) continue
    const isTime = field === 'timestamp' || field === 'clock'
    const found = pathOf.get((isTime ? time?.[field] : bestName([...pathOf.keys()], field)) ?? '')
    if (found !== undefined) mapping.set(field, found)
  }
  const description = `JSON frames${[...mapping].map(([field, place]) => `, ${field} from '${place}'`).join('')}`
  return { format: new FrameFormat(reader, { paths: framePaths(mapping) ?? paths, description }), time }
}

/** Examines the first frames. @returns The path of each name that was found. */
async function survey(
  reader: RecordReader,
  {
    paths,
    mapping,
    times,
  }: { readonly paths: FramePaths; readonly mapping: ReadonlyMap<SourceField, string>; readonly times: TimeColumns },
): Promise<ReadonlyMap<string, string>> {
  const start = `${paths.array.join('.')}${eachElement}.`
  const pathOf = new Map<string, string>()
  const told = mapping.get('timestamp')
  let row = 0
  await surveyJson(reader, (frame) => {
    const elements: unknown = valueAt(frame, paths.array)
    if (!Array.isArray(elements)) return
    const ofFrame = textMembers(frame)
    for (const [name] of ofFrame) if (!pathOf.has(name)) pathOf.set(name, name)
    for (const element of elements.slice(0, mostElements) as unknown[]) {
      row += 1
      // The row number is passed as the symbol, so that elements with the same date do not count as repeated days of
      // one symbol.
      for (const [name, text] of [...ofFrame, ...textMembers(element)]) times.add(name, text, String(row))
      for (const [name] of textMembers(element)) pathOf.set(name, start + name)
      if (told?.startsWith(start))
        times.add(told, textOf(valueAt(element, told.slice(start.length).split('.'))) ?? '', '')
    }
  })
  return pathOf
}
