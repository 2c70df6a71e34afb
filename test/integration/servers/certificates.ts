import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of PEM files. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface Certificates {
  /** Of a certificate authority that no system trusts. */
  readonly ca: string
  /** For `localhost` and 127.0.0.1, signed by it. */
  readonly server: KeyPair
  /** The same for another host. */
  readonly elsewhere: KeyPair
  readonly client: KeyPair
}

/** Made anew for each run of the tests, so that none expires in the repository. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string) => join(folder, name)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const ca = { cert: at('ca.pem'), key: at('ca.key') }
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    '/CN=market-kpi test CA',
    '-keyout',
    ca.key,
    '-out',
    ca.cert,
  )
  const signed = (name: string, alternativeNames: string): KeyPair => {
    const pair = { cert: at(`${name}.pem`), key: at(`${name}.key`) }
    const request = at(`${name}.csr`)
    const extensions = at(`${name}.ext`)
    writeFileSync(extensions, `subjectAltName=${alternativeNames}\n`)
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', pair.key, '-out', request)
    const signing = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '2', '-extfile', extensions]
    openssl('x509', '-req', '-in', request, ...signing, '-out', pair.cert)
    return pair
  }
  return {
    ca: ca.cert,
    server: signed('server', 'DNS:localhost,IP:127.0.0.1'),
    elsewhere: signed('elsewhere', 'DNS:elsewhere.example'),
    client: signed('client', 'DNS:client.example'),
  }
}

/** Key and certificate in one file, as Kafka reads them. */
export function joined({ key, cert }: KeyPair, path: string): string {
  writeFileSync(path, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'), { mode: 0o600 })
  return path
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
