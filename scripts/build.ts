// Builds dist/: plain JavaScript with types, for the package. Starts from an empty folder, so that nothing stale ships.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureKafkaProtocol } from './kafka-protocol.mjs'

const root = join(import.meta.dirname, '..')
await ensureKafkaProtocol()
rmSync(join(root, 'dist'), { recursive: true, force: true })
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
