-- Months of kpi_market_prices as tables of their own, where `init --partition-by month` has made it so. What makes and
-- drops them runs as the owner, since the pipeline's role owns no table. Each does nothing where there are no partitions.
-- Who waits for a lock on the whole table holds up every commit behind it, so neither waits for long: it fails, and is called
-- again. A month is one of UTC. What belongs to none that exists stands in kpi_market_prices_rest: a row is never refused.

-- Makes the months from one instant to another; one whose rows stand in kpi_market_prices_rest already stays there.
-- Nobody needs rights on a month: those on the whole table count. Returns the names of those that are new.
CREATE FUNCTION kpi_add_months(p_from timestamptz, p_to timestamptz)
RETURNS SETOF text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
SET lock_timeout = '2s' AS $$
DECLARE
  month timestamptz;
  name text;
  storage text;
  is_taken boolean;
BEGIN
  SELECT array_to_string(reloptions, ', ') INTO storage FROM pg_class
    WHERE oid = to_regclass('public.kpi_market_prices_rest');
  IF NOT FOUND THEN RETURN; END IF;
  FOR month IN SELECT generate_series(date_trunc('month', p_from), p_to, interval '1 month') LOOP
    name := 'kpi_market_prices_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
    SELECT EXISTS (
      SELECT FROM kpi_market_prices_rest WHERE window_start >= month AND window_start < month + interval '1 month'
    ) INTO is_taken;
    CONTINUE WHEN is_taken;
    EXECUTE format(
      'CREATE TABLE public.%I PARTITION OF public.kpi_market_prices FOR VALUES FROM (%L) TO (%L) WITH (%s)',
      name, month, month + interval '1 month', storage
    );
    RETURN NEXT name;
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION kpi_add_months FROM PUBLIC;

-- Drops the oldest month that ended by an instant, and counts what stood in it. First the count is locked, as by every
-- prune; then only the month, against writers, while its messages are summed; the whole table at the end, for a moment.
-- Returns nothing when there is no such month.
CREATE FUNCTION kpi_drop_month(p_before timestamptz, OUT rows bigint, OUT messages bigint)
RETURNS SETOF record LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
SET lock_timeout = '2s' AS $$
DECLARE
  name text;
BEGIN
  SELECT c.relname INTO name
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.kpi_market_prices'::regclass AND c.relname ~ '^kpi_market_prices_\d{4}_\d\d$'
      AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= p_before
    ORDER BY c.relname LIMIT 1;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM FROM kpi_pruned FOR UPDATE;
  EXECUTE format('LOCK TABLE public.%I IN SHARE MODE', name);
  EXECUTE format('SELECT count(*), coalesce(sum(trade_count), 0)::bigint FROM public.%I', name) INTO rows, messages;
  UPDATE kpi_pruned SET row_count = row_count + rows, message_count = message_count + messages, updated_at = now();
  EXECUTE format('DROP TABLE public.%I', name);
  RETURN NEXT;
END $$;
REVOKE EXECUTE ON FUNCTION kpi_drop_month FROM PUBLIC;
