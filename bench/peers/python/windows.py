"""Five-minute windows in memory, and their rows in the table, which bench/peers/row-table.ts creates."""

from datetime import datetime, timezone

WINDOW_SECONDS = 300

COLUMNS = "symbol, window_start, avg_close, min_close, max_close, vwap, price_range, total_volume, message_count"
# Whole values, not differences: writing a row twice is writing it once.
ON_CONFLICT = """ON CONFLICT (symbol, window_start) DO UPDATE SET
    avg_close = EXCLUDED.avg_close, min_close = EXCLUDED.min_close, max_close = EXCLUDED.max_close,
    vwap = EXCLUDED.vwap, price_range = EXCLUDED.price_range, total_volume = EXCLUDED.total_volume,
    message_count = EXCLUDED.message_count"""


class Window:
    __slots__ = ("count", "closes", "products", "volume", "low", "high")

    def __init__(self):
        self.count = 0
        self.closes = self.products = self.volume = 0.0
        self.low = float("inf")
        self.high = float("-inf")

    def add(self, close, volume):
        self.count += 1
        self.closes += close
        self.products += close * volume
        self.volume += volume
        if close < self.low:
            self.low = close
        if close > self.high:
            self.high = close

    def row(self, key):
        symbol, start = key
        vwap = self.products / self.volume if self.volume else None
        return (
            symbol,
            datetime.fromtimestamp(start, timezone.utc),
            self.closes / self.count,
            self.low,
            self.high,
            vwap,
            self.high - self.low,
            self.volume,
            self.count,
        )


def key_of(price):
    seconds = int(datetime.fromisoformat(price["timestamp"]).timestamp())
    return price["symbol"], seconds - seconds % WINDOW_SECONDS
