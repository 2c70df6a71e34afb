package peers.base;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/** The two instants between which a contender is measured. */
public final class Report {
  private static final AtomicLong firstAtMs = new AtomicLong();
  private static final AtomicLong lastAtMs = new AtomicLong();

  private Report() {}

  /** A message is in the contender's hands; cheap when it is not the first. */
  public static void received() {
    if (firstAtMs.get() == 0) firstAtMs.compareAndSet(0, System.currentTimeMillis());
  }

  /** Rows were committed; the last call counts. */
  public static void committed() {
    lastAtMs.set(System.currentTimeMillis());
  }

  /** Prints the result, and waits until whoever reads it has looked at this process and closes our stdin. */
  public static void print(long messages) throws IOException {
    System.out.printf("{\"firstAtMs\":%d,\"lastAtMs\":%d,\"messages\":%d}%n", firstAtMs.get(), lastAtMs.get(), messages);
    System.out.flush();
    while (System.in.read() >= 0) {}
  }
}
