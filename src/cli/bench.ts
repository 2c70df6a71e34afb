import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { databaseVariantNames } from '../bench/database/variants.ts'
import { measurePlan } from '../bench/measure.ts'
import { namedCases, type Plan, type PlanFlags, parts, planOf, tuningNames } from '../bench/plan.ts'
import { compareSeries } from '../bench/report/compare.ts'
import { comparisonText, reportText } from '../bench/report/report-text.ts'
import { checkSavable, type EarlierReport, readReport, saveReport } from '../bench/report/saved-report.ts'
import { KpiError } from '../errors.ts'
import { compressions } from '../kafka/records/record-batch-writer.ts'
import { listenForStop } from '../process/stop-signals.ts'
import { configure, wholeNumber, withErrors } from './command.ts'

interface BenchFlags extends PlanFlags {
  readonly json?: true
  readonly save?: string
  readonly compare?: string
}

type Part = (typeof parts)[number]

export function register(command: Command): void {
  command
    .addArgument(new Argument('[part]', 'what to measure').choices(parts).default('throughput'))
    .option(
      '--cases <list>',
      `throughput: the cases to measure, of ${Object.keys(namedCases).join(', ')} (default: narrow,wide)`,
      caseNames,
    )
    .option('--messages <n>', 'messages in a backlog (default: 1000000)', wholeNumber(1, 1_000_000_000))
    .option('--symbols <n>', 'a case of your own: number of symbols (default: 50)', wholeNumber(1, 100_000))
    .option('--windows <n>', '… number of five-minute windows (default: 7)', wholeNumber(1, 10_000))
    .addOption(new Option('--compression <kind>', '… compression of the topic (default: none)').choices(compressions))
    .option('--unusual <percent>', '… share of messages that need the full parser (default: 0)', wholeNumber(0, 100))
    .option('--workers <n>', '… number of workers (default: 1)', wholeNumber(1, 64))
    .option('--partitions <n>', 'partitions of every topic (default: 3)', wholeNumber(1, 1000))
    .option('--runs <n>', 'number of rounds (default: 3, for latency 1, for start-up 11)', wholeNumber(1, 100))
    .option('--rates <list>', 'latency: messages/s (default: 1000,10000,100000)', numbers(1, 1_000_000))
    .option('--waits <list>', 'latency: values of BATCH_WAIT_MS (default: 200,20)', numbers(0, 60_000))
    .option(
      '--settings <list>',
      `tuning: the settings to measure, of ${tuningNames.join(', ')} (default: all)`,
      tuningSettings,
    )
    .option(
      '--variants <list>',
      `database: the variants to measure, of ${databaseVariantNames.join(', ')} (default: all)`,
      databaseVariants,
    )
    .option(
      '--seconds <n>',
      'duration of a live load after warm-up (default: 20, for tuning 10), or of the growth of database (default: 45)',
      wholeNumber(1, 86_400),
    )
    .option('--quick', 'use small sizes, to check in a minute or two that everything works')
    .option('--json', 'print the report as JSON')
    .option('--save <file>', 'write the report as JSON to this file')
    .option('--compare <file>', 'repeat the measurements of this report; fail if one is worse by more than the noise')
    .addHelpText('after', help)
    .action(withErrors((part: Part, _flags: unknown, command: Command) => bench(part, command)))
}

const help = `
Starts its own broker (not for database) and databases in a temporary folder, and removes them afterwards.

Exit codes: 0 success; 1 rows were not exact, or --compare found a regression; 2 wrong usage.`

async function bench(part: Part, command: Command): Promise<number> {
  const { log } = configure(command)
  const { json, save, compare, ...flags } = command.opts<BenchFlags>()
  if (save !== undefined) checkSavable(save)
  const earlier = compare === undefined ? undefined : readReport(compare)
  const plan = earlier ? planToRepeat(earlier, command) : planOf(part, flags)
  const stopRequest = listenForStop(() => process.exit(1))
  try {
    const report = await measurePlan(plan, log)
    const comparisons = earlier ? compareSeries(earlier.series, report.series) : undefined
    if (save !== undefined) saveReport(save, report)
    const text = json
      ? `${JSON.stringify({ ...report, ...(comparisons ? { comparisons } : {}) })}\n`
      : [reportText(report), ...(comparisons && earlier ? [comparisonText(comparisons, earlier)] : [])].join('\n')
    process.stdout.write(text)
    const isWorse = comparisons?.some(({ verdict }) => verdict === 'worse') === true
    return isWorse || report.problems.length > 0 ? 1 : 0
  } finally {
    stopRequest.release()
  }
}

/** Only equal measurements can be compared, so the plan comes from the earlier report. */
function planToRepeat(earlier: EarlierReport, command: Command): Plan {
  const allowed = new Set(['json', 'save', 'compare', 'logLevel', 'logFormat'])
  const extra = command.options.find(
    (option) => !allowed.has(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  if (extra) throw new KpiError('KPI_USAGE', `--compare measures what its file says: ${extra.long} cannot be given too`)
  return earlier.plan
}

function numbers(min: number, max: number): (text: string) => number[] {
  return (text) => text.split(',').map(wholeNumber(min, max))
}

const caseNames = namesOf(Object.keys(namedCases))
const tuningSettings = namesOf(tuningNames)
const databaseVariants = namesOf(databaseVariantNames)

function namesOf(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = [...new Set(text.split(','))]
    if (names.every((name) => known.includes(name))) return names
    throw new InvalidArgumentError(`must be some of ${known.join(', ')}, separated by commas`)
  }
}
