"""Python done with care: messages in batches, orjson, every changed window in one transaction a second, offsets after it."""

import time
import uuid

import orjson
import psycopg2
from confluent_kafka import Consumer, TopicPartition
from psycopg2.extras import execute_values

import job
from windows import COLUMNS, ON_CONFLICT, WINDOW_SECONDS, Window, key_of

UPSERT = f"INSERT INTO peer_rows ({COLUMNS}) VALUES %s {ON_CONFLICT}"
FLUSH_SECONDS = 1.0
BATCH = 500
ROWS_A_STATEMENT = 1000
# A window this many windows behind its symbol's newest one is forgotten once it was written.
KEPT_WINDOWS = 2


class Batches:
    def __init__(self):
        self.connection = psycopg2.connect("")
        self.consumer = Consumer(job.consumer_settings(f"batches-{uuid.uuid4()}"))
        self.consumer.subscribe([job.topic])
        self.windows = {}
        self.changed = set()
        self.expired = []
        self.offsets = {}

    def run(self):
        first_at_ms = None
        received = 0
        flushed_at = time.monotonic()
        while received < job.messages:
            batch = self.consumer.consume(BATCH, 0.1)
            if batch and first_at_ms is None:
                first_at_ms = job.now_ms()
            for message in batch:
                self.take(message)
            received += len(batch)
            if time.monotonic() - flushed_at >= FLUSH_SECONDS:
                self.flush()
                flushed_at = time.monotonic()
        self.flush()
        job.report(first_at_ms, job.now_ms())
        self.consumer.close()

    def take(self, message):
        if message.error():
            raise RuntimeError(message.error())
        price = orjson.loads(message.value())
        key = key_of(price)
        window = self.windows.get(key)
        if window is None:
            window = self.windows[key] = Window()
            self.expired.append((key[0], key[1] - KEPT_WINDOWS * WINDOW_SECONDS))
        window.add(price["close"], price["volume"])
        self.changed.add(key)
        self.offsets[message.partition()] = message.offset() + 1

    def flush(self):
        if not self.changed:
            return
        rows = [self.windows[key].row(key) for key in self.changed]
        with self.connection, self.connection.cursor() as cursor:
            execute_values(cursor, UPSERT, rows, page_size=ROWS_A_STATEMENT)
        positions = [TopicPartition(job.topic, partition, offset) for partition, offset in self.offsets.items()]
        self.consumer.commit(offsets=positions, asynchronous=True)
        self.changed.clear()
        for key in self.expired:
            self.windows.pop(key, None)
        self.expired.clear()


Batches().run()
