-- How many fractional digits prices and volumes keep is part of the definition. Until now there were 8.
ALTER TABLE kpi_definition ADD COLUMN decimals integer NOT NULL DEFAULT 8 CHECK (decimals BETWEEN 8 AND 18);

-- With one parameter more it would be a second function of this name.
DROP FUNCTION kpi_replace_definition;
CREATE FUNCTION kpi_replace_definition(
  p_id bigint, p_group text, p_window_seconds integer, p_lateness integer, p_max_future integer, p_decimals integer
) RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE kpi_definition SET
    id = DEFAULT, consumer_group = p_group, window_seconds = p_window_seconds, allowed_lateness_seconds = p_lateness,
    max_future_seconds = p_max_future, decimals = p_decimals, created_at = now()
  WHERE id = p_id RETURNING id
$$;
REVOKE EXECUTE ON FUNCTION kpi_replace_definition FROM PUBLIC;
