"""Quix Streams: its tumbling windows with state in RocksDB and a changelog, live rows into its own PostgreSQL sink."""

import os
import uuid
from datetime import datetime, timezone

from quixstreams import Application
from quixstreams.sinks.community.postgresql import PostgreSQLSink

import job
from windows import WINDOW_SECONDS


class CountingSink(PostgreSQLSink):
    """Tells when the rows written hold all messages, and ends the application then."""

    def __init__(self, stop, **options):
        super().__init__(**options)
        self.stop = stop
        self.counts = {}
        self.messages = 0
        self.last_at_ms = None

    def write(self, batch):
        super().write(batch)
        self.last_at_ms = job.now_ms()
        # The sink writes the last of several values of a row.
        written = {(item.value["symbol"], item.value["window_start"]): item.value["message_count"] for item in batch}
        for key, count in written.items():
            self.messages += count - self.counts.get(key, 0)
            self.counts[key] = count
        if self.messages >= job.messages:
            self.stop()


class FirstMessage:
    at_ms = None


def timestamp_ms(value, headers, timestamp, timestamp_type):
    if FirstMessage.at_ms is None:
        FirstMessage.at_ms = job.now_ms()
    return int(datetime.fromisoformat(value["timestamp"]).timestamp() * 1000)


def begin(price):
    close, volume = price["close"], price["volume"]
    return {
        "symbol": price["symbol"],
        "count": 1,
        "closes": close,
        "products": close * volume,
        "volume": volume,
        "low": close,
        "high": close,
    }


def add(window, price):
    close, volume = price["close"], price["volume"]
    window["count"] += 1
    window["closes"] += close
    window["products"] += close * volume
    window["volume"] += volume
    window["low"] = min(window["low"], close)
    window["high"] = max(window["high"], close)
    return window


def row(result):
    window = result["value"]
    volume = window["volume"]
    return {
        "symbol": window["symbol"],
        "window_start": datetime.fromtimestamp(result["start"] / 1000, timezone.utc),
        "avg_close": window["closes"] / window["count"],
        "min_close": window["low"],
        "max_close": window["high"],
        "vwap": window["products"] / volume if volume else None,
        "price_range": window["high"] - window["low"],
        "total_volume": float(volume),
        "message_count": window["count"],
    }


def main():
    app = Application(
        broker_address=job.brokers,
        consumer_group=f"quix-{uuid.uuid4()}",
        auto_offset_reset="earliest",
        commit_interval=1.0,
        processing_guarantee="at-least-once",
        state_dir=job.state_dir,
        consumer_extra_config={"fetch.queue.backoff.ms": 10},
        loglevel="ERROR",
    )
    sink = CountingSink(
        app.stop,
        host=os.environ["PGHOST"],
        port=int(os.environ["PGPORT"]),
        dbname=os.environ["PGDATABASE"],
        user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
        table_name="peer_rows",
        primary_key_columns=["symbol", "window_start"],
        upsert_on_primary_key=True,
        include_metadata=False,
    )
    prices = app.topic(job.topic, value_deserializer="json", key_deserializer="str", timestamp_extractor=timestamp_ms)
    windows = app.dataframe(prices).tumbling_window(WINDOW_SECONDS * 1000).reduce(reducer=add, initializer=begin)
    windows.current().apply(row).sink(sink)
    app.run()
    job.report(FirstMessage.at_ms, sink.last_at_ms)


main()
