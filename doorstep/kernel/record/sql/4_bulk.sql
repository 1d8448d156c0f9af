-- Which hospital system asked for an export: the job asks before it can act as that system.
CREATE OR REPLACE FUNCTION record_export_client(p_export bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT e.client FROM record_bulkexport e WHERE e.id = p_export
$$;
