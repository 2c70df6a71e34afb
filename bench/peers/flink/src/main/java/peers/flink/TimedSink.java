package peers.flink;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import peers.base.Report;
import peers.base.WindowRow;

/**
 * Another sink, and when it last wrote: that a job has ended is known only after its last checkpoint and the end of its
 * tasks, which no reader of the rows waits for.
 */
final class TimedSink implements Sink<WindowRow> {
  private static final AtomicLong messages = new AtomicLong();

  private final Sink<WindowRow> sink;

  TimedSink(Sink<WindowRow> sink) {
    this.sink = sink;
  }

  static long messages() {
    return messages.get();
  }

  @Override
  public SinkWriter<WindowRow> createWriter(WriterInitContext context) throws IOException {
    SinkWriter<WindowRow> writer = sink.createWriter(context);
    return new SinkWriter<>() {
      @Override
      public void write(WindowRow row, Context at) throws IOException, InterruptedException {
        writer.write(row, at);
        messages.addAndGet(row.sum.count);
      }

      @Override
      public void flush(boolean isEnd) throws IOException, InterruptedException {
        writer.flush(isEnd);
        Report.committed();
      }

      @Override
      public void close() throws Exception {
        writer.close();
      }
    };
  }
}
