package peers.streams;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import peers.base.Job;
import peers.base.Report;
import peers.base.WindowRow;
import peers.base.WindowSum;

/**
 * Collects the windows that changed and upserts them every 200 ms, as market-kpi does, in one transaction. Kafka's transaction does not
 * reach the table: what was committed there but not written here is found in the store when a task starts, and written.
 */
final class RowSink implements Processor<Windowed<String>, WindowSum, Void, Void> {
  private static final Duration FLUSH_INTERVAL = Duration.ofMillis(200);

  private final Written written;
  private final Map<Windowed<String>, WindowSum> changed = new HashMap<>();
  private Connection connection;
  private PreparedStatement upsert;

  RowSink(Written written) {
    this.written = written;
  }

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    try {
      connection = DriverManager.getConnection(Job.jdbcUrl(), Job.databaseUser(), Job.databasePassword());
      connection.setAutoCommit(false);
      upsert = connection.prepareStatement(WindowRow.UPSERT);
    } catch (SQLException error) {
      throw new IllegalStateException(error);
    }
    TimestampedWindowStore<String, WindowSum> store = context.getStateStore(StreamsPeer.STORE);
    try (KeyValueIterator<Windowed<String>, ValueAndTimestamp<WindowSum>> all = store.all()) {
      all.forEachRemaining(entry -> changed.put(entry.key, entry.value.value()));
    }
    context.schedule(FLUSH_INTERVAL, PunctuationType.WALL_CLOCK_TIME, now -> flush());
  }

  @Override
  public void process(Record<Windowed<String>, WindowSum> record) {
    changed.put(record.key(), record.value());
  }

  @Override
  public void close() {
    flush();
    try {
      connection.close();
    } catch (SQLException error) {
      throw new IllegalStateException(error);
    }
  }

  private void flush() {
    if (changed.isEmpty()) return;
    try {
      for (var entry : changed.entrySet()) {
        Windowed<String> key = entry.getKey();
        new WindowRow(key.key(), key.window().start(), entry.getValue()).bind(upsert);
        upsert.addBatch();
      }
      upsert.executeBatch();
      connection.commit();
    } catch (SQLException error) {
      throw new IllegalStateException(error);
    }
    Report.committed();
    written.add(changed);
    changed.clear();
  }
}
