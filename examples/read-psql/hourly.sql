-- Hourly KPIs of the last day, from windows of any length. Averages of averages would be wrong: each is weighted.
SELECT symbol,
       date_trunc('hour', window_start) AS hour,
       sum(trade_count) AS trades,
       round(sum(avg_close * trade_count) / sum(trade_count), 4) AS avg_close,
       round(sum(vwap * total_volume) / nullif(sum(total_volume), 0), 4) AS vwap,
       (array_agg(open_price ORDER BY window_start))[1] AS open,
       max(high_price) AS high,
       min(low_price) AS low,
       (array_agg(close_price ORDER BY window_start DESC))[1] AS close,
       sum(total_volume) AS volume,
       -- Windows that may still change.
       count(*) FILTER (WHERE window_state = 'forming') AS forming
FROM kpi_windows
WHERE window_start >= now() - interval '1 day'
GROUP BY symbol, hour
ORDER BY hour DESC, symbol
LIMIT 50;
