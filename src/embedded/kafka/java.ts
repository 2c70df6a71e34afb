import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { KpiError } from '../../errors.ts'

const oldestJava = 17
const whatToDo =
  'install one (Debian: apt-get install openjdk-17-jre-headless), set JAVA_HOME, or name a running cluster in KAFKA_BOOTSTRAP_SERVERS'

/**
 * Finds the `java` that runs the broker: the one in JAVA_HOME, otherwise the first in PATH.
 *
 * @throws KpiError `KPI_JAVA_MISSING` if there is none, or it is older than 17.
 */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = env.JAVA_HOME?.trim()
  const java = home ? join(home, 'bin', 'java') : 'java'
  const told = await askVersion(java, env)
  if ('problem' in told) {
    const where = home ? `JAVA_HOME=${home} has no bin/java that runs` : `'java' ${told.problem}`
    throw new KpiError('KPI_JAVA_MISSING', `the Kafka broker needs Java ${oldestJava} or newer, ${where}: ${whatToDo}`)
  }
  const version = majorVersion(told.text)
  if (version !== undefined && version < oldestJava) {
    throw new KpiError(
      'KPI_JAVA_MISSING',
      `the Kafka broker needs Java ${oldestJava} or newer, '${java}' is Java ${version}: ${whatToDo}`,
    )
  }
  return java
}

/** 17 for `openjdk version "17.0.15"`, 8 for `java version "1.8.0_392"`; undefined for other output. */
export function majorVersion(told: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(told)?.[1]
  return found === undefined ? undefined : Number(found)
}

function askVersion(java: string, env: NodeJS.ProcessEnv): Promise<{ text: string } | { problem: string }> {
  return new Promise((resolve) => {
    execFile(java, ['-version'], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      if (!error) resolve({ text: stdout + stderr })
      else resolve({ problem: error.code === 'ENOENT' ? 'is not in PATH' : 'in PATH does not run' })
    })
  })
}
