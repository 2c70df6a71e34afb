package peers.streams;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;
import peers.base.Job;
import peers.base.Price;
import peers.base.Report;
import peers.base.WindowSum;

/** The job in the DSL, exactly once: group by key, five-minute windows in RocksDB with a changelog, rows by JDBC. */
public final class StreamsPeer {
  static final String STORE = "windows";
  private static final Duration WINDOW = Duration.ofMillis(Job.WINDOW_MS);
  private static final Duration GRACE = Duration.ofMinutes(2);
  private static final Duration RETENTION = Duration.ofHours(1);
  private static final long CACHE_BYTES = 64L << 20;

  private static final Serde<Price> PRICES = Serdes.serdeFrom(
      (topic, price) -> {
        throw new UnsupportedOperationException("prices are only read");
      },
      (topic, bytes) -> parse(bytes));
  private static final Serde<WindowSum> SUMS = Serdes.serdeFrom(
      (topic, sum) -> sum == null ? null : sum.toBytes(),
      (topic, bytes) -> bytes == null ? null : WindowSum.fromBytes(bytes));

  private StreamsPeer() {}

  public static void main(String[] args) throws Exception {
    Written written = new Written(Job.messages());
    try (KafkaStreams streams = new KafkaStreams(topology(written), properties())) {
      streams.setUncaughtExceptionHandler(error -> {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
        return null;
      });
      streams.start();
      written.awaitAll();
      Report.print(written.messages());
    }
  }

  private static Topology topology(Written written) {
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(Job.topic(), Consumed.with(Serdes.String(), PRICES)
            .withTimestampExtractor((message, before) -> ((Price) message.value()).timestampMs))
        .groupByKey(Grouped.with(Serdes.String(), PRICES))
        .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, GRACE))
        .aggregate(WindowSum::new, (symbol, price, sum) -> sum.add(price),
            Materialized.<String, WindowSum>as(Stores.persistentTimestampedWindowStore(STORE, RETENTION, WINDOW, false))
                .withKeySerde(Serdes.String()).withValueSerde(SUMS).withCachingEnabled())
        .toStream()
        .process(() -> new RowSink(written), STORE);
    return builder.build();
  }

  private static Properties properties() {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "streams-" + UUID.randomUUID());
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, Job.brokers());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, Job.stateDir());
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 20);
    return properties;
  }

  private static Price parse(byte[] json) {
    try {
      return Price.parse(json);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
