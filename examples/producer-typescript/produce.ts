// Sends made-up prices of one symbol: node produce.ts SYMBOL COUNT
import { ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka'

const [symbol = 'DEMO', count = '20'] = process.argv.slice(2)
const topic = process.env.KAFKA_TOPIC ?? 'market-prices'
const brokers = process.env.KAFKA_BOOTSTRAP_SERVERS ?? '127.0.0.1:9092'

const producer = new Producer({
  clientId: 'example-producer',
  bootstrapBrokers: brokers.split(','),
  serializers: stringSerializers,
  // A message that is sent again after a lost answer is stored once.
  idempotent: true,
  acks: ProduceAcks.ALL,
})

for (let i = 0; i < Number(count); i++) {
  const price = {
    symbol,
    // When the price was made, not when it is sent.
    timestamp: new Date().toISOString(),
    // `open`, `high` and `low` are optional. A number may have up to eight decimals.
    close: 100 + (i % 10) / 4,
    volume: 10,
  }
  // The key is the symbol, so that all prices of a symbol stay in one partition, in order.
  await producer.send({ messages: [{ topic, key: symbol, value: JSON.stringify(price) }] })
}
await producer.close()
console.log(`sent ${count} prices of ${symbol} to ${topic}`)
