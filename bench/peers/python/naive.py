"""The loop everybody writes first: a message, its window in memory, one upsert, one commit of the offset."""

import json
import uuid

import psycopg2
from confluent_kafka import Consumer

import job
from windows import COLUMNS, ON_CONFLICT, Window, key_of

UPSERT = f"INSERT INTO peer_rows ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) {ON_CONFLICT}"


def main():
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    consumer = Consumer(job.consumer_settings(f"naive-{uuid.uuid4()}"))
    consumer.subscribe([job.topic])
    windows = {}
    first_at_ms = None
    received = 0
    while received < job.messages:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            raise RuntimeError(message.error())
        first_at_ms = first_at_ms or job.now_ms()
        price = json.loads(message.value())
        key = key_of(price)
        window = windows.setdefault(key, Window())
        window.add(price["close"], price["volume"])
        cursor.execute(UPSERT, window.row(key))
        consumer.commit(message, asynchronous=True)
        received += 1
    job.report(first_at_ms, job.now_ms())
    consumer.close()


main()
