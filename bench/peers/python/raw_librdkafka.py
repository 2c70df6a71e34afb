"""Receives everything and does nothing with it: no job done with this client can be faster."""

import uuid

from confluent_kafka import Consumer

import job


def main():
    settings = {"fetch.message.max.bytes": 8 << 20, "queued.max.messages.kbytes": 256 << 10}
    consumer = Consumer(job.consumer_settings(f"raw-librdkafka-{uuid.uuid4()}") | settings)
    consumer.subscribe([job.topic])
    first_at_ms = None
    received = 0
    while received < job.messages:
        batch = consumer.consume(10_000, 0.5)
        if batch and first_at_ms is None:
            first_at_ms = job.now_ms()
        received += len(batch)
    job.report(first_at_ms, job.now_ms())
    consumer.close()


main()
