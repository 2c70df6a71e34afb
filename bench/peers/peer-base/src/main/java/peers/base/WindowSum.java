package peers.base;

import java.nio.ByteBuffer;

/** What the messages of one window come to. Public fields and constructor: Flink serialises it as a POJO. */
public class WindowSum {
  private static final int BYTES = 5 * Double.BYTES + Long.BYTES;

  public long count;
  public double closes;
  public double products;
  public double volume;
  public double min = Double.POSITIVE_INFINITY;
  public double max = Double.NEGATIVE_INFINITY;

  public WindowSum add(Price price) {
    count++;
    closes += price.close;
    products += price.close * price.volume;
    volume += price.volume;
    min = Math.min(min, price.close);
    max = Math.max(max, price.close);
    return this;
  }

  public WindowSum merge(WindowSum other) {
    count += other.count;
    closes += other.closes;
    products += other.products;
    volume += other.volume;
    min = Math.min(min, other.min);
    max = Math.max(max, other.max);
    return this;
  }

  public byte[] toBytes() {
    return ByteBuffer.allocate(BYTES).putLong(count).putDouble(closes).putDouble(products).putDouble(volume)
        .putDouble(min).putDouble(max).array();
  }

  public static WindowSum fromBytes(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    WindowSum sum = new WindowSum();
    sum.count = buffer.getLong();
    sum.closes = buffer.getDouble();
    sum.products = buffer.getDouble();
    sum.volume = buffer.getDouble();
    sum.min = buffer.getDouble();
    sum.max = buffer.getDouble();
    return sum;
  }
}
