/** Whether this is a clone of the project, where npm's scripts are at hand, or an installed package. */
const isClone = import.meta.filename.endsWith('.ts')

/**
 * What starts the whole pipeline on this machine, for messages that suggest it.
 *
 * @param dataDir - Named where it is not the usual one.
 */
export function startCommand(dataDir?: string): string {
  const command = isClone ? 'npm start' : 'npx market-kpi up'
  if (dataDir === undefined) return command
  return `${command}${isClone ? ' --' : ''} --data-dir ${dataDir}`
}
