import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Hundreds of times the size of all settings. */
const maxBytes = 1024 * 1024

/**
 * Reads a file with settings. It must be a regular file of at most 1 MB: a pipe would make every command wait for its
 * writer, and a device may never end.
 *
 * @returns undefined if the file does not exist.
 * @throws Error that says why it cannot be read.
 */
export function readSettingsFile(path: string): string | undefined {
  let file: number
  try {
    // Without O_NONBLOCK, opening a pipe would block.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    if (!fstatSync(file).isFile()) throw new Error('it is not a regular file')
    return readAll(file).toString('utf8')
  } finally {
    closeSync(file)
  }
}

/** Does not rely on the size of the file: for files in /proc it is unknown, and the file may grow while it is read. */
function readAll(file: number): Buffer {
  const buffer = Buffer.alloc(maxBytes + 1)
  let length = 0
  for (;;) {
    const read = readSync(file, buffer, length, buffer.length - length, null)
    length += read
    if (length > maxBytes) throw new Error('it is larger than 1 MB')
    if (read === 0) return buffer.subarray(0, length)
  }
}
