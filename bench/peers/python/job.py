"""What a contender is told by environment variables, and what it tells at its end."""

import json
import os
import sys
import time

brokers = os.environ["PEER_BROKERS"]
topic = os.environ["PEER_TOPIC"]
messages = int(os.environ["PEER_MESSAGES"])
state_dir = os.environ["PEER_STATE_DIR"]


def consumer_settings(group):
    """librdkafka waits a second by default when its queue was full, which leaves a reader idle for most of a catch-up."""
    return {
        "bootstrap.servers": brokers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.queue.backoff.ms": 10,
    }


def now_ms():
    return time.time() * 1000


def report(first_at_ms, last_at_ms):
    """Waits after it, until whoever reads it has looked at this process and closes our stdin."""
    print(json.dumps({"firstAtMs": first_at_ms, "lastAtMs": last_at_ms, "messages": messages}), flush=True)
    sys.stdin.read()
