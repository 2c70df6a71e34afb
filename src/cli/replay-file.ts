import { KpiError } from '../errors.ts'
import { ReplayFile } from '../feed/replay/replay-file.ts'

/**
 * Opens the file that an argument names.
 *
 * @throws KpiError `KPI_USAGE` when it cannot be read: a wrong argument, which no other start can help.
 */
export async function openReplayFile(path: string): Promise<ReplayFile> {
  try {
    return await ReplayFile.open(path)
  } catch (error) {
    throw error instanceof KpiError ? new KpiError('KPI_USAGE', error.message, { cause: error }) : error
  }
}
