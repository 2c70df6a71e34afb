"""Sends made-up prices of one symbol: python produce.py SYMBOL COUNT"""

import json
import os
import sys
from datetime import datetime, timezone

from confluent_kafka import Producer

symbol = sys.argv[1] if len(sys.argv) > 1 else "DEMO"
count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
topic = os.environ.get("KAFKA_TOPIC", "market-prices")

producer = Producer(
    {
        "bootstrap.servers": os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
        # A message that is sent again after a lost answer is stored once.
        "enable.idempotence": True,
        # By default this library hashes keys unlike all others: prices of a symbol that other programs send, too, would be in
        # two partitions.
        "partitioner": "murmur2_random",
    }
)
refused = []


def delivered(error, message):
    if error is not None:
        refused.append(error)


for i in range(count):
    price = {
        "symbol": symbol,
        # When the price was made, not when it is sent.
        "timestamp": datetime.now(timezone.utc).isoformat(),
        # `open`, `high` and `low` are optional. A number may have up to eight decimals.
        "close": 100 + (i % 10) / 4,
        "volume": 10,
    }
    # The key is the symbol, so that all prices of a symbol stay in one partition, in order.
    producer.produce(topic, key=symbol, value=json.dumps(price), on_delivery=delivered)
    producer.poll(0)

unsent = producer.flush(30)
if unsent or refused:
    sys.exit(f"{unsent} prices were not sent, {len(refused)} were refused: {refused[:1]}")
print(f"sent {count} prices of {symbol} to {topic}")
