package peers.base;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;

/** A row of the table, which bench/peers/row-table.ts creates. */
public class WindowRow {
  /** Whole values, not differences: writing a row twice is writing it once. */
  public static final String UPSERT = """
      INSERT INTO peer_rows (symbol, window_start, avg_close, min_close, max_close, vwap, price_range, total_volume,
        message_count)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (symbol, window_start) DO UPDATE SET
        avg_close = EXCLUDED.avg_close, min_close = EXCLUDED.min_close, max_close = EXCLUDED.max_close,
        vwap = EXCLUDED.vwap, price_range = EXCLUDED.price_range, total_volume = EXCLUDED.total_volume,
        message_count = EXCLUDED.message_count""";

  public String symbol;
  public long startMs;
  public WindowSum sum;

  public WindowRow() {}

  public WindowRow(String symbol, long startMs, WindowSum sum) {
    this.symbol = symbol;
    this.startMs = startMs;
    this.sum = sum;
  }

  public void bind(PreparedStatement statement) throws SQLException {
    statement.setString(1, symbol);
    statement.setObject(2, OffsetDateTime.ofInstant(Instant.ofEpochMilli(startMs), ZoneOffset.UTC));
    statement.setDouble(3, sum.closes / sum.count);
    statement.setDouble(4, sum.min);
    statement.setDouble(5, sum.max);
    if (sum.volume == 0) statement.setNull(6, Types.DOUBLE);
    else statement.setDouble(6, sum.products / sum.volume);
    statement.setDouble(7, sum.max - sum.min);
    statement.setDouble(8, sum.volume);
    statement.setLong(9, sum.count);
  }
}
