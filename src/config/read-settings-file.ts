import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Hundreds of times what all settings take. */
const maxBytes = 1024 * 1024

/**
 * The text of a file with settings, which has to be a regular one of at most 1 MB: a pipe would make every command wait
 * for its writer, and a device may never end.
 *
 * @returns undefined when there is no such file.
 * @throws Error that says why it cannot be read.
 */
export function readSettingsFile(path: string): string | undefined {
  let file: number
  try {
    // Without O_NONBLOCK the opening of a pipe waits already.
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

/** Not by its size, which a file in /proc does not tell, and which may grow while it is read. */
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
