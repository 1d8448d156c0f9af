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
-- The next lines of an export, as one file of it: what the acting hospital may read of a type, in the order of the rows after p_after.
-- As the owner, so that the wall is asked once for each resident of whom everything ordinary may be read, and for each row only of
-- the others: access_may_read says of no episode and no category only what it says of all of them. Rows of residents with whom the
-- hospital never had a relationship are passed over by the index. Answers the last row and how many lines; no row: nothing is left.
CREATE OR REPLACE FUNCTION record_export_piece(p_export bigint, p_type text, p_after bigint, p_lines integer, p_residents bigint[],
  p_of_patients boolean, p_since timestamptz, OUT last bigint, OUT lines integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  file text;
  everything boolean := access_is_system();
  reach bigint[] := access_record_reach();
  own bigint[] := access_self();
BEGIN
  IF NOT everything AND NOT EXISTS (SELECT 1 FROM record_bulkexport e WHERE e.id = p_export AND e.organization_id = ANY (reach)) THEN
    RAISE EXCEPTION 'not an export of the actor' USING ERRCODE = '42501';
  END IF;
  WITH piece AS MATERIALIZED (
    SELECT r.id, r.resident_id, r.organization_id, r.episode, r.category, r.sensitive, r.content FROM record_resource r
    WHERE r.type = p_type AND r.id > p_after AND NOT r.deleted
      AND (p_residents IS NULL OR r.resident_id = ANY (p_residents))
      AND (NOT p_of_patients OR r.resident_id IS NOT NULL)
      AND (p_since IS NULL OR r.updated_at >= p_since)
      AND (everything OR r.resident_id IS NULL OR r.resident_id = ANY (own)
        OR EXISTS (SELECT 1 FROM access_carerelationship c WHERE c.resident_id = r.resident_id AND c.organization_id = ANY (reach))
        OR EXISTS (SELECT 1 FROM access_formerresident f WHERE f.former_id = r.resident_id))
    ORDER BY r.id LIMIT p_lines),
  whole AS MATERIALIZED (
    SELECT d.resident_id FROM (SELECT DISTINCT p.resident_id FROM piece p WHERE NOT p.sensitive AND p.resident_id IS NOT NULL OFFSET 0) d
    WHERE everything OR access_may_read(d.resident_id, NULL, '', '', false))
  SELECT max(p.id), count(*) FILTER (WHERE shown), string_agg(p.content::text, E'\n' ORDER BY p.id) FILTER (WHERE shown)
    INTO last, lines, file
    FROM piece p LEFT JOIN whole w ON w.resident_id = p.resident_id AND NOT p.sensitive,
      LATERAL (SELECT CASE WHEN w.resident_id IS NOT NULL THEN true
        ELSE record_readable(p.resident_id, p.organization_id, p.episode, p.category, p.sensitive) END AS shown OFFSET 0) s;
  IF lines > 0 THEN
    INSERT INTO record_bulkfile (export_id, type, lines, body) VALUES (p_export, p_type, lines, convert_to(file || E'\n', 'UTF8'));
  END IF;
END $$;
