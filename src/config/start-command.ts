/** Whether this is a clone of the project, which has its npm scripts, or an installed package. */
const isClone = import.meta.filename.endsWith('.ts')

/**
 * The command that starts the whole pipeline on this machine, for messages that suggest it.
 *
 * @param dataDir - Named in the command if it is not the default.
 */
export function startCommand(dataDir?: string): string {
  const command = isClone ? 'npm start' : 'npx market-kpi up'
  if (dataDir === undefined) return command
  return `${command}${isClone ? ' --' : ''} --data-dir ${dataDir}`
}
