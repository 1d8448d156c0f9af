-- Which hospital system asked for an export: the job asks before it can act as that system.
CREATE OR REPLACE FUNCTION record_export_client(p_export bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT e.client FROM record_bulkexport e WHERE e.id = p_export
$$;
-- The same of an import.
CREATE OR REPLACE FUNCTION record_import_client(p_import bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT i.client FROM record_bulkimport i WHERE i.id = p_import
$$;
