import { stat } from 'node:fs/promises'
import { KpiError } from '../../errors.ts'
import { ReplayFile } from '../../feed/replay/replay-file.ts'

/**
 * Opens the file that an argument names.
 *
 * @throws KpiError `KPI_USAGE` when there is no such file, `KPI_FEED_FILE` when it is of a kind that is not read. No other
 *   start can help either.
 */
export async function openReplayFile(path: string): Promise<ReplayFile> {
  const found = await stat(path).catch(() => undefined)
  try {
    return await ReplayFile.open(path)
  } catch (error) {
    if (!(error instanceof KpiError) || found?.isFile()) throw error
    throw new KpiError('KPI_USAGE', error.message, { cause: error })
  }
}
