// The tests start a real broker: its jars are fetched before they begin, where the progress can be seen.
import { ensureKafkaJars } from '../src/embedded/kafka/kafka-jars.ts'
import { KpiError } from '../src/errors.ts'

try {
  await ensureKafkaJars({ progress: (line) => process.stderr.write(`${line}\n`), screen: process.stderr })
} catch (error) {
  if (!(error instanceof KpiError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.exitCode
}
