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
-- The next lines of an export, as one file of it: what the acting hospital may read of a type, in the order of the rows after p_after,
-- until they are p_lines or pass p_bytes as they are stored. As the owner, so that the wall is asked once for all residents of whom
-- everything ordinary may be read, and for each row only of the others: access_may_read says of no episode and no category only what it
-- says of all of them. Rows of residents with whom the hospital never had a relationship are passed over by the index. The file goes
-- from the rows into its own row without being put down in between: it is copied often enough. Answers the last row and how many
-- lines; no row: nothing is left.
DROP FUNCTION IF EXISTS record_export_piece(bigint, text, bigint, integer, bigint[], boolean, timestamptz);
CREATE OR REPLACE FUNCTION record_export_piece(p_export bigint, p_type text, p_after bigint, p_lines integer, p_bytes bigint,
  p_residents bigint[], p_of_patients boolean, p_since timestamptz, OUT last bigint, OUT lines integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  everything boolean := access_is_system();
  reach bigint[] := access_record_reach();
  own bigint[] := access_self();
BEGIN
  IF NOT everything AND NOT EXISTS (SELECT 1 FROM record_bulkexport e WHERE e.id = p_export AND e.organization_id = ANY (reach)) THEN
    RAISE EXCEPTION 'not an export of the actor' USING ERRCODE = '42501';
  END IF;
  -- The file and the place where the next one begins are one transaction: a server that dies before it has reached the disk loses both,
  -- and the export goes on before it. The transaction that calls the export finished waits for the disk, and with it for all before.
  PERFORM set_config('synchronous_commit', 'off', true);
  WITH piece AS MATERIALIZED (
    SELECT * FROM (
      SELECT n.*, sum(pg_column_size(n.content)) OVER (ORDER BY n.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS size
      FROM (
        SELECT r.id, r.resident_id, r.organization_id, r.episode, r.category, r.sensitive, r.content FROM record_resource r
        WHERE r.type = p_type AND r.id > p_after AND NOT r.deleted
          AND (p_residents IS NULL OR r.resident_id = ANY (p_residents))
          AND (NOT p_of_patients OR r.resident_id IS NOT NULL)
          AND (p_since IS NULL OR r.updated_at >= p_since)
          AND (everything OR r.resident_id IS NULL OR r.resident_id = ANY (own)
            OR EXISTS (SELECT 1 FROM access_carerelationship c WHERE c.resident_id = r.resident_id AND c.organization_id = ANY (reach))
            OR EXISTS (SELECT 1 FROM access_formerresident f WHERE f.former_id = r.resident_id))
        ORDER BY r.id LIMIT p_lines) n) g
    WHERE g.size IS NULL OR g.size < p_bytes),
  whole AS MATERIALIZED (
    SELECT w AS resident_id FROM access_whole(ARRAY(
      SELECT DISTINCT p.resident_id FROM piece p WHERE NOT p.sensitive AND p.resident_id IS NOT NULL)) w),
  shown AS (
    SELECT p.id, p.resident_id, p.content FROM piece p LEFT JOIN whole w ON w.resident_id = p.resident_id AND NOT p.sensitive
    WHERE CASE WHEN w.resident_id IS NOT NULL THEN true
      ELSE record_readable(p.resident_id, p.organization_id, p.episode, p.category, p.sensitive) END),
  written AS (
    INSERT INTO record_bulkfile (export_id, type, lines, body, residents)
    SELECT p_export, p_type, count(*), convert_to(string_agg(s.content::text || E'\n', '' ORDER BY s.id), 'UTF8'),
      ARRAY(SELECT DISTINCT t.resident_id FROM shown t WHERE t.resident_id IS NOT NULL) FROM shown s
    HAVING count(*) > 0
    RETURNING record_bulkfile.lines)
  SELECT (SELECT max(p.id) FROM piece p), coalesce((SELECT w.lines FROM written w), 0) INTO last, lines;
END $$;
