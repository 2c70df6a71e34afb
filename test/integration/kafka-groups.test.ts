// What a broker of ours knows of its groups after kill -9: Kafka itself may mix them up.
import { expect, it } from 'vitest'
import { committedOffsets } from '../../src/kafka/committed-offsets.ts'
import { commitOffsets } from '../../src/kafka/group-commit.ts'
import { GroupCoordinator } from '../../src/kafka/group-coordinator.ts'
import { makeTopic } from './kafka-topic.ts'
import { OwnKafka } from './own-servers.ts'

const partitions = 100
const commits = 300
const kills = 4
