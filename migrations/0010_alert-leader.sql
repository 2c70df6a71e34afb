-- Which evaluator sends the alerts. A fixed advisory lock said so before, which any role that can connect could take, and so
-- mute all alerts. A row can only be locked and written by roles that may write it.

-- One row. The leader's session holds an advisory lock by a random key while it lives: the row counts only while the process
-- `pid` holds the lock `lock_key`, and was `seen_at` within `patience_ms`. Another session that takes the same key gains nothing by it.
CREATE TABLE alert_leader (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  pid integer,
  lock_key bigint,
  evaluator text,
  since timestamptz,
  seen_at timestamptz,
  patience_ms integer
) WITH (fillfactor = 20);
INSERT INTO alert_leader DEFAULT VALUES;

-- Only the pipeline's role calls these, and gets the right to from init.
REVOKE EXECUTE ON FUNCTION kpi_merge, kpi_commit FROM PUBLIC;
