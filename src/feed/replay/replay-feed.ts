import { stat } from 'node:fs/promises'
import { KpiError } from '../../errors.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { FeedRequest, FeedSource, PreparedFeed } from '../sources/feed-source.ts'
import type { ReplayFile } from './replay-file.ts'
import { type ReplayFlags, readOptions, replayOptions } from './replay-options.ts'

export const replayFeed: FeedSource = {
  name: 'replay',
  argument: 'FILE',
  about: `the lines of a CSV or JSON file, which may be compressed (gzip, zip, zstd) or UTF-16; when it is
started again, it continues after the last line that is in the topic`,
  isConfiguredByUp: true,
  options: replayOptions,
  prepare,
}

async function prepare({ argument: path, flags, config, log }: FeedRequest): Promise<PreparedFeed> {
  const { speed, shiftToNow = false, fromStart = false, ...others } = flags as ReplayFlags
  const reading = readOptions({ speed, ...others })
  const file = await openReplayFile(path)
  const { maxFutureSeconds, decimals } = config
  return {
    open: async ({ cluster, topic }, stop) => {
      const { findResumePoint } = await import('./resume-point.ts')
      const { ReplaySource } = await import('./replay-source.ts')
      const resume = fromStart ? undefined : await findResumePoint({ cluster, topic, file, log }, stop)
      const options = {
        ...reading,
        file,
        resume,
        speed,
        shiftToNow,
        maxFutureSeconds,
        decimals,
        clock: systemClock,
        log,
      }
      return {
        ...(resume ? { continues: resume.producers } : {}),
        source: (partitionCount) => ReplaySource.open({ ...options, partitionCount }),
      }
    },
    close: () => file.close(),
  }
}

/**
 * Opens the file that an argument names. Both errors are permanent, so a restart does not help.
 *
 * @throws KpiError `KPI_USAGE` when the file does not exist, `KPI_FEED_FILE` when its type is not supported.
 */
async function openReplayFile(path: string): Promise<ReplayFile> {
  const { ReplayFile } = await import('./replay-file.ts')
  const found = await stat(path).catch(() => undefined)
  try {
    return await ReplayFile.open(path)
  } catch (error) {
    if (!(error instanceof KpiError) || found?.isFile()) throw error
    throw new KpiError('KPI_USAGE', error.message, { cause: error })
  }
}
