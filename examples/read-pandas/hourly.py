"""Reads the KPI rows of the last day into a DataFrame and makes hourly KPIs of them."""

import os

import pandas as pd
from sqlalchemy import create_engine, text

url = os.environ["READER_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
query = text(
    """
    SELECT symbol, window_start, trade_count, avg_close, vwap, total_volume, high_price, low_price, window_state
    FROM kpi_windows
    WHERE window_start >= now() - interval '1 day'
    ORDER BY symbol, window_start
    """
)
engine = create_engine(url)
with engine.connect() as connection:
    # Numbers are exact decimals in PostgreSQL, and stay so with coerce_float=False.
    windows = pd.read_sql(query, connection, coerce_float=False, parse_dates={"window_start": {"utc": True}})

windows["turnover"] = windows["vwap"] * windows["total_volume"]
hourly = windows.groupby(["symbol", windows["window_start"].dt.floor("h").rename("hour")]).agg(
    trades=("trade_count", "sum"),
    high=("high_price", "max"),
    low=("low_price", "min"),
    volume=("total_volume", "sum"),
    turnover=("turnover", "sum"),
)
# An average of averages would be wrong: weight each window by its volume.
hourly["vwap"] = (hourly["turnover"] / hourly["volume"]).astype(float)
print(hourly.drop(columns="turnover").to_string())
