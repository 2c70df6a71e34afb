import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import saslprep from '@mongodb-js/saslprep'

/** As PostgreSQL's own; RFC 7677 names it as the least. */
const iterations = 4096
const saltBytes = 16
const keyBytes = 32

interface Parts {
  readonly iterations: number
  readonly salt: Buffer
}

/**
 * What PostgreSQL keeps of a password for SCRAM-SHA-256 (RFC 5803, RFC 7677): enough to check it, not enough to log in with.
 * A server that gets this instead of the password cannot write the password to its log.
 */
export function scramVerifier(password: string): string {
  return verifierOf(password, { iterations, salt: randomBytes(saltBytes) })
}

/** Whether a verifier is of this password; false for any other kind, such as md5. */
export function isVerifierOf(verifier: string, password: string): boolean {
  const [, rounds, salt] = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/.exec(verifier) ?? []
  if (rounds === undefined || salt === undefined) return false
  const own = verifierOf(password, { iterations: Number(rounds), salt: Buffer.from(salt, 'base64') })
  return own.length === verifier.length && timingSafeEqual(Buffer.from(own), Buffer.from(verifier))
}

function verifierOf(password: string, { iterations, salt }: Parts): string {
  const salted = pbkdf2Sync(prepared(password), salt, iterations, keyBytes, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}

/** SASLprep where it allows the password, and the password as it is where not: what PostgreSQL and its clients do. */
function prepared(password: string): string {
  try {
    return saslprep(password) || password
  } catch {
    return password
  }
}
