package peers.base;

/** What a contender is told, by environment variables; the database's are those of libpq. */
public final class Job {
  public static final long WINDOW_MS = 300_000;

  private Job() {}

  public static String brokers() {
    return variable("PEER_BROKERS");
  }

  public static String topic() {
    return variable("PEER_TOPIC");
  }

  public static long messages() {
    return Long.parseLong(variable("PEER_MESSAGES"));
  }

  /** A folder that is there, empty, and taken away after the run. */
  public static String stateDir() {
    return variable("PEER_STATE_DIR");
  }

  /** With batches of inserts sent as one statement, which every guide to fast writes recommends. */
  public static String jdbcUrl() {
    return "jdbc:postgresql://" + variable("PGHOST") + ":" + variable("PGPORT") + "/" + variable("PGDATABASE")
        + "?reWriteBatchedInserts=true";
  }

  public static String databaseUser() {
    return variable("PGUSER");
  }

  public static String databasePassword() {
    return variable("PGPASSWORD");
  }

  private static String variable(String name) {
    String value = System.getenv(name);
    if (value == null) throw new IllegalStateException(name + " is not set");
    return value;
  }
}
