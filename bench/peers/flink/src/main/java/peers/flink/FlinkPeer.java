package peers.flink;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.connector.jdbc.JdbcConnectionOptions;
import org.apache.flink.connector.jdbc.JdbcExecutionOptions;
import org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;
import peers.base.Job;
import peers.base.Price;
import peers.base.Report;
import peers.base.WindowRow;
import peers.base.WindowSum;

/**
 * The job in the DataStream API, in the local cluster: a source that ends at the topic's end, event-time windows, the
 * JDBC connector's sink. Rows are written when their window closes; the source's end closes the last ones.
 */
public final class FlinkPeer {
  private static final Duration WINDOW = Duration.ofMillis(Job.WINDOW_MS);
  private static final Duration DISORDER = Duration.ofSeconds(1);
  private static final int PARALLELISM = 2;

  private FlinkPeer() {}

  public static void main(String[] args) throws Exception {
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(PARALLELISM, configuration());
    environment
        .fromSource(source(), WatermarkStrategy.<Price>forBoundedOutOfOrderness(DISORDER)
            .withTimestampAssigner((price, recordMs) -> price.timestampMs), "prices")
        .keyBy(price -> price.symbol, Types.STRING)
        .window(TumblingEventTimeWindows.of(WINDOW))
        .aggregate(new Sum(), new ToRow())
        .sinkTo(sink());
    environment.execute("peer");
    Report.print(TimedSink.messages());
    System.exit(0);
  }

  private static Configuration configuration() {
    Configuration configuration = new Configuration();
    configuration.set(PipelineOptions.OBJECT_REUSE, true);
    configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(5));
    configuration.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, Path.of(Job.stateDir()).toUri().toString());
    return configuration;
  }

  private static KafkaSource<Price> source() {
    return KafkaSource.<Price>builder()
        .setBootstrapServers(Job.brokers())
        .setTopics(Job.topic())
        .setGroupId("flink-" + UUID.randomUUID())
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setBounded(OffsetsInitializer.latest())
        .setValueOnlyDeserializer(new PriceSchema())
        .setProperty("max.poll.records", "5000")
        .build();
  }

  private static Sink<WindowRow> sink() {
    return new TimedSink(JdbcSink.<WindowRow>builder()
        .withQueryStatement(WindowRow.UPSERT, (statement, row) -> row.bind(statement))
        .withExecutionOptions(
            JdbcExecutionOptions.builder().withBatchSize(1000).withBatchIntervalMs(1000).withMaxRetries(3).build())
        .buildAtLeastOnce(new JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
            .withUrl(Job.jdbcUrl())
            .withDriverName("org.postgresql.Driver")
            .withUsername(Job.databaseUser())
            .withPassword(Job.databasePassword())
            .build()));
  }

  public static final class PriceSchema extends AbstractDeserializationSchema<Price> {
    @Override
    public Price deserialize(byte[] json) throws IOException {
      Price price = Price.parse(json);
      // It would travel to the window with the rest, and nobody reads it there.
      price.timestamp = null;
      return price;
    }
  }

  public static final class Sum implements AggregateFunction<Price, WindowSum, WindowSum> {
    @Override
    public WindowSum createAccumulator() {
      return new WindowSum();
    }

    @Override
    public WindowSum add(Price price, WindowSum sum) {
      return sum.add(price);
    }

    @Override
    public WindowSum getResult(WindowSum sum) {
      return sum;
    }

    @Override
    public WindowSum merge(WindowSum a, WindowSum b) {
      return a.merge(b);
    }
  }

  public static final class ToRow extends ProcessWindowFunction<WindowSum, WindowRow, String, TimeWindow> {
    @Override
    public void process(String symbol, Context context, Iterable<WindowSum> sums, Collector<WindowRow> out) {
      out.collect(new WindowRow(symbol, context.window().getStart(), sums.iterator().next()));
    }
  }
}
