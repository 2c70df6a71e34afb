package peers.base;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.time.Instant;

/** A message, as far as the windows need it. */
@JsonIgnoreProperties(ignoreUnknown = true)
public class Price {
  private static final ObjectReader READER = new ObjectMapper().readerFor(Price.class);

  public String symbol;
  public String timestamp;
  public double close;
  public double volume;
  public long timestampMs;

  public static Price parse(byte[] json) throws IOException {
    Report.received();
    Price price = READER.readValue(json);
    price.timestampMs = Instant.parse(price.timestamp).toEpochMilli();
    return price;
  }
}
