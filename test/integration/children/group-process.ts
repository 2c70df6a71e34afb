// A group member in a process of its own, for tests that stop it or kill it. Takes its settings as JSON, tells what it
// hears as lines of JSON, and ends with its standard input, so that it cannot outlive the test run.
import { KafkaCluster } from '../../../src/kafka/client/cluster.ts'
import { GroupMember, type GroupMemberOptions } from '../../../src/kafka/group/group-member.ts'
import { createLogger } from '../../../src/log.ts'

export interface GroupReport {
  readonly heard: 'assigned' | 'revoked' | 'lost'
  readonly partitions: readonly number[]
}

type Settings = Pick<GroupMemberOptions, 'topic' | 'group' | 'sessionTimeoutMs'> & { bootstrap: string }

const { bootstrap, ...options } = JSON.parse(process.argv[2] ?? '') as Settings

function tell(heard: GroupReport['heard'], partitions: readonly number[]): void {
  process.stdout.write(`${JSON.stringify({ heard, partitions } satisfies GroupReport)}\n`)
}

process.stdin.on('close', () => process.exit()).resume()
new GroupMember({
  ...options,
  cluster: new KafkaCluster({ bootstrap: [bootstrap], clientId: 'process' }),
  log: createLogger({ level: 'silent', format: 'json' }),
  listener: {
    assigned: (partitions) => tell('assigned', partitions),
    revoked: async (partitions) => tell('revoked', partitions),
    lost: (partitions) => tell('lost', partitions),
    fatal: (error) => {
      throw error
    },
  },
}).start()
