import { cpus } from 'node:os'
import type { Command } from 'commander'
import { Option } from 'commander'
import { loadConfig } from '../config/load.ts'
import { listenForStop } from '../embedded/stop-signals.ts'
import { KafkaCluster } from '../kafka/cluster.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { compressions } from '../kafka/record-batch-writer.ts'
import type { Logger } from '../log.ts'
import { openDatabase, postgresOptions } from '../store/connection.ts'
import { type ConsumeRun, runConsume } from './bench/consume-run.ts'
import { type BenchServers, startServers } from './bench/servers.ts'
import { loadTopic, type Workload } from './bench/workload.ts'
import { configure, wholeNumber, withErrors } from './command.ts'
import { prepareForUp } from './init.ts'

interface BenchFlags extends Workload {
  readonly runs: number
  readonly json?: true
}

export function register(program: Command): void {
  program
    .command('bench')
    .description('measure one worker on this machine: messages already in Kafka, until all are committed')
    .option('--messages <n>', 'in the topic', wholeNumber(1, 1_000_000_000), 1_000_000)
    .option('--symbols <n>', 'that trade', wholeNumber(1, 100_000), 50)
    .option('--windows <n>', 'of five minutes that the messages spread over', wholeNumber(1, 10_000), 7)
    .addOption(new Option('--compression <kind>', 'of the topic').choices(compressions).default('none'))
    .option(
      '--runs <n>',
      'over the same messages; the first warms nothing up, since each is a new process',
      wholeNumber(1, 100),
      3,
    )
    .option('--json', 'print figures as JSON')
    .addHelpText(
      'after',
      '\nStarts a broker and a database of its own in a temporary folder, and takes them away again.',
    )
    .action(withErrors((_flags: unknown, command: Command) => bench(command)))
}

async function bench(command: Command): Promise<void> {
  const { log } = configure(command)
  const flags = command.opts<BenchFlags>()
  const wish = listenForStop(() => process.exit(1))
  const servers = await startServers(log)
  try {
    const runs = await measure(servers, flags, log)
    process.stdout.write(
      flags.json ? `${JSON.stringify({ machine: machine(), ...flags, runs })}\n` : report(flags, runs),
    )
  } finally {
    await servers.stop()
    wish.release()
  }
}

async function measure(servers: BenchServers, flags: BenchFlags, log: Logger): Promise<ConsumeRun[]> {
  const runs: ConsumeRun[] = []
  for (let run = 1; run <= flags.runs; run++) {
    const name = `bench-${run}`
    const config = loadConfig({ env: servers.environment(name, 'owner') })
    await prepareForUp(config, log)
    const cluster = new KafkaCluster(kafkaOptions(config, 'market-kpi-bench'))
    const database = await openDatabase(postgresOptions(config), {
      maxConnections: 1,
      applicationName: 'market-kpi bench',
    })
    try {
      const seconds = await loadTopic(flags, { cluster, topic: name, log })
      log.info(`run ${run}: loaded at ${thousands(flags.messages / seconds)} messages/s`)
      const env = servers.environment(name, 'pipeline')
      const figures = await runConsume({ env, database, messages: flags.messages })
      log.info(`run ${run}: ${thousands(figures.messages / figures.seconds)} messages/s`)
      runs.push(figures)
    } finally {
      await database.close()
      await cluster.close()
    }
  }
  return runs
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${cpus().length} × ${model}, ${process.platform} ${process.arch}, Node ${process.versions.node}`
}

function report(flags: BenchFlags, runs: readonly ConsumeRun[]): string {
  const rates = runs.map((run) => run.messages / run.seconds)
  const peak = Math.max(...runs.map((run) => run.peakMemoryMb))
  const rows = runs.map(
    (run, index) =>
      `| ${index + 1} | ${thousands(run.messages / run.seconds)} | ${run.seconds.toFixed(2)} | ${run.wholeSeconds.toFixed(2)} | ${run.batches} | ${thousands(run.rows)} | ${run.cpuSeconds.toFixed(2)} | ${Math.round(run.peakMemoryMb)} |`,
  )
  return `${machine()}
${thousands(flags.messages)} messages, ${flags.symbols} symbols, ${flags.windows} windows, compression ${flags.compression}; broker and database on the same machine

| run | messages/s | s | s with start | commits | rows written | worker CPU s | peak MB |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

median ${thousands(median(rates))} messages/s (${thousands(Math.min(...rates))} to ${thousands(Math.max(...rates))}), peak memory ${Math.round(peak)} MB
`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
