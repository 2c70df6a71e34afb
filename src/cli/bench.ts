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

export function register(program: Command): void {
  program
    .command('bench')
    .description('measure the pipeline on this machine: throughput, latency, and what the settings do')
    .addArgument(new Argument('[part]', 'what to measure').choices(parts).default('throughput'))
    .option('--cases <list>', `of throughput: ${Object.keys(namedCases).join(', ')} (default: narrow,wide)`, caseNames)
    .option('--messages <n>', 'of a backlog (default: 1000000)', wholeNumber(1, 1_000_000_000))
    .option('--symbols <n>', 'a case of your own: symbols that trade (default: 50)', wholeNumber(1, 100_000))
    .option('--windows <n>', 'windows of five minutes it spreads over (default: 7)', wholeNumber(1, 10_000))
    .addOption(new Option('--compression <kind>', 'of its topic (default: none)').choices(compressions))
    .option('--unusual <percent>', 'of its messages need the full parser (default: 0)', wholeNumber(0, 100))
    .option('--workers <n>', 'that share its topic (default: 1)', wholeNumber(1, 64))
    .option('--partitions <n>', 'of every topic (default: 3)', wholeNumber(1, 1000))
    .option('--runs <n>', 'rounds (default: 3, of latency 1)', wholeNumber(1, 100))
    .option('--rates <list>', 'of latency, messages/s (default: 1000,10000,100000)', numbers(1, 1_000_000))
    .option('--waits <list>', 'of latency, BATCH_WAIT_MS (default: 200,20)', numbers(0, 60_000))
    .option('--settings <list>', `of tuning: ${tuningNames.join(', ')} (default: all)`, tuningSettings)
    .option('--variants <list>', `of database: ${databaseVariantNames.join(', ')} (default: all)`, databaseVariants)
    .option(
      '--seconds <n>',
      'of a live load, after a warm-up (default: 20, of tuning 10); of the growth of database (default: 45)',
      wholeNumber(1, 86_400),
    )
    .option('--quick', 'small sizes: whether all works, in a minute or two')
    .option('--json', 'print the report as JSON')
    .option('--save <file>', 'keep the report as JSON')
    .option('--compare <file>', 'measure what this report measured; fail when something is worse than the noise')
    .addHelpText('after', help)
    .action(withErrors((part: Part, _flags: unknown, command: Command) => bench(part, command)))
}

const help = `
Starts a broker (of database: none) and databases of its own in a temporary folder, and takes them away again.

Exit codes: 0 done; 1 rows were not exact, or --compare found a regression; 2 wrong usage.`

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

/** Only the same can be compared, so the file says what is measured. */
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
