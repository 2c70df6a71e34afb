package peers.streams;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.streams.kstream.Windowed;
import peers.base.WindowSum;

/** Tells when the rows written hold all messages. One for all tasks: a task that moves writes its windows again. */
final class Written {
  private final long wanted;
  private final Map<Windowed<String>, Long> counts = new ConcurrentHashMap<>();
  private final AtomicLong messages = new AtomicLong();
  private final CountDownLatch all = new CountDownLatch(1);

  Written(long wanted) {
    this.wanted = wanted;
  }

  void add(Map<Windowed<String>, WindowSum> rows) {
    rows.forEach((window, sum) -> {
      Long before = counts.put(window, sum.count);
      messages.addAndGet(sum.count - (before == null ? 0 : before));
    });
    if (messages.get() >= wanted) all.countDown();
  }

  long messages() {
    return messages.get();
  }

  void awaitAll() throws InterruptedException {
    all.await();
  }
}
