import { fixed, markdownTable, spread } from '../report/markdown.ts'
import { median } from '../report/statistics.ts'
import { ratiosOf, type StartUpReport } from './start-up.ts'

export function startUpText({ nodeCpuSeconds, cases }: StartUpReport): string {
  const titles = ['command', 'times `node -e 0`', 'target', 'reached', 'CPU ms']
  const rows = cases.map(({ command, target, cpuSeconds }) => {
    const ratios = ratiosOf(cpuSeconds, nodeCpuSeconds)
    const isReached = median(ratios) <= target
    return [command, spread(ratios, 1), `≤ ${target}`, isReached ? 'yes' : 'NO', fixed(median(cpuSeconds) * 1000, 0)]
  })
  return `## Start-up

CPU of a command from start to end, on servers that hold nothing, against that of \`node -e 0\` (${fixed(median(nodeCpuSeconds) * 1000, 0)} ms): median of ${nodeCpuSeconds.length} interleaved runs (lowest to highest), after one that fills Node's compile cache.

${markdownTable(titles, rows)}`
}
