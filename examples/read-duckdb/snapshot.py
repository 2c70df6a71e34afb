"""Copies the KPI rows of the last day to Parquet, and queries that file with DuckDB: python snapshot.py FILE"""

import os
import sys
import tempfile

import duckdb
import psycopg

parquet = sys.argv[1] if len(sys.argv) > 1 else "windows.parquet"
# Exact decimals with the digits that market-kpi keeps (DECIMALS, 8 unless you have set it).
price = "DECIMAL(38, 8)"
columns = {
    "symbol": "VARCHAR",
    "window_start": "TIMESTAMPTZ",
    "trade_count": "BIGINT",
    "open_price": price,
    "high_price": price,
    "low_price": price,
    "close_price": price,
    "total_volume": price,
    "vwap": "DOUBLE",
    "window_state": "VARCHAR",
}
copy = f"""
    COPY (SELECT {", ".join(columns)} FROM kpi_windows WHERE window_start >= now() - interval '1 day')
    TO STDOUT (FORMAT csv, HEADER)
"""

with tempfile.NamedTemporaryFile(suffix=".csv") as csv:
    with psycopg.connect(os.environ["READER_DATABASE_URL"]) as connection:
        with connection.cursor().copy(copy) as rows:
            for block in rows:
                csv.write(block)
    csv.flush()
    duckdb.read_csv(csv.name, header=True, columns=columns).write_parquet(parquet)

duckdb.sql("SET TimeZone = 'UTC'")
duckdb.sql(
    f"""
    SELECT symbol, date_trunc('hour', window_start) AS hour, sum(trade_count)::BIGINT AS trades,
           arg_min(open_price, window_start) AS open, max(high_price) AS high,
           min(low_price) AS low, arg_max(close_price, window_start) AS close, sum(total_volume) AS volume
    FROM '{parquet}' GROUP BY ALL ORDER BY hour, symbol
    """
).show(max_rows=50, max_width=200)
