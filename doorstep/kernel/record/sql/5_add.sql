-- Many resources that are all new, with their first version and their rows of the index of searches, for what comes in bulk. Everything
-- but p_contents and p_rests is an array with one element for each resource; these two are JSON arrays of the resources and of what
-- record_index_rest wants of each, {"links": …}.
-- As the owner, so that the wall is asked once for each resident and not for each row: what it asks is what the policies of the two
-- tables ask. A resource that is there already is a unique violation: nothing of the call is kept. Answers as record_write does.
DROP FUNCTION IF EXISTS record_add(text[], text[], bigint[], boolean[], timestamptz[], text[], bigint[], text[], text[], bigint[], text[], jsonb,
  bigint, bigint, bigint, timestamptz);
CREATE OR REPLACE FUNCTION record_add(p_types text[], p_ids text[], p_residents bigint[], p_sensitive boolean[], p_occurred timestamptz[],
  p_contents jsonb, p_refs bigint[], p_keys text[], p_present text[], p_facts bigint[], p_methods text[], p_rests jsonb,
  p_organization bigint, p_consortium bigint, p_user bigint, p_now timestamptz)
RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  ids bigint[];
BEGIN
  IF NOT access_is_system() AND (access_user() IS NULL OR p_user IS DISTINCT FROM access_user()
      OR coalesce(p_organization <> ALL (access_record_reach()), true)
      OR EXISTS (SELECT 1 FROM (SELECT DISTINCT r FROM unnest(p_residents) r WHERE r IS NOT NULL) d WHERE NOT access_may_see(d.r))) THEN
    RAISE EXCEPTION 'not a resource of the actor' USING ERRCODE = '42501';
  END IF;
  ids := ARRAY(SELECT nextval(pg_get_serial_sequence('record_resource', 'id')) FROM generate_series(1, cardinality(p_ids)));
  WITH given AS MATERIALIZED (
    SELECT g.id, g.type, g.fhir_id, g.resident, g.sensitive, g.occurred, g.content, g.ref, g.keys::bigint[] AS keys,
        g.present::int[] AS present, g.facts, g.method
    FROM ROWS FROM (unnest(ids), unnest(p_types), unnest(p_ids), unnest(p_residents), unnest(p_sensitive), unnest(p_occurred),
        jsonb_array_elements(p_contents), unnest(p_refs), unnest(p_keys), unnest(p_present), unnest(p_facts), unnest(p_methods))
      AS g (id, type, fhir_id, resident, sensitive, occurred, content, ref, keys, present, facts, method)),
  written AS (
    INSERT INTO record_resource (id, type, fhir_id, version, resident_id, organization_id, consortium_id, episode, category, sensitive,
        occurred_at, updated_at, content, deleted, received, ref, keys, present, facts)
    SELECT id, type, fhir_id, 1, resident, p_organization, p_consortium, '', '', sensitive, occurred, p_now, content, false, true,
        ref, keys, present, facts FROM given),
  tokens AS (
    -- In the order of the index: rows that lie side by side are written side by side.
    INSERT INTO record_searchkey (key, resource_id) SELECT k.key, g.id FROM given g, unnest(g.keys) AS k (key) ORDER BY 1, 2)
  INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive, written_at,
      written_by_id, content, deleted, method)
    SELECT id, 1, resident, p_organization, '', '', sensitive, p_now, p_user, content, false, method FROM given;
  PERFORM record_index_rest(ids, p_rests);
  RETURN jsonb_build_object('versions', array_fill(1, ARRAY[cardinality(ids)]), 'watched', ARRAY(
    SELECT n.id FROM unnest(ids, p_types) AS n (id, type) JOIN record_watch x ON x.type = n.type ORDER BY n.id))::text;
END $$;
