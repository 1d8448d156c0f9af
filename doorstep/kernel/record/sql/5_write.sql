-- Any number of different resources: each new current version, the same text as a row of the history, and the rows of the index of
-- searches. A function, so that a connection plans its statements once. The rows of the versions before are read and locked before
-- the new ones are written; a resource that would be written as it stands keeps its version. p_index: see record_index. Answers
-- {"versions": of each row, "watched": the rows whose type somebody waits for}.
CREATE OR REPLACE FUNCTION record_write(p_rows jsonb, p_index jsonb, p_consortium bigint, p_user bigint, p_now timestamptz, p_stamp text)
RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  old jsonb;
  ids bigint[];
  versions integer[];
  places integer[];
  watched bigint[];
  answer integer[] := '{}';
BEGIN
  SELECT coalesce(jsonb_object_agg(o.position::text, jsonb_build_object(
      'version', o.version, 'keys', o.keys, 'facts', o.facts, 'same', o.same)), '{}') INTO old
  FROM (
    SELECT g.position, r.version, to_jsonb(r.keys) AS keys, r.facts,
      NOT r.deleted AND NOT g.deleted AND (r.episode, r.category, r.sensitive, r.occurred_at) = (g.episode, g.category, g.sensitive, g.occurred)
        AND r.organization_id IS NOT DISTINCT FROM g.organization AND r.keys <> '{}'
        AND (r.content || jsonb_build_object('meta', (r.content -> 'meta') - '{versionId,lastUpdated}'::text[]))::text
          = (g.content || jsonb_build_object('meta', coalesce(g.content -> 'meta', '{}') - '{versionId,lastUpdated}'::text[]))::text AS same
    FROM jsonb_to_recordset(p_rows) AS g (position int, type text, id text, organization bigint, episode text, category text,
      sensitive boolean, occurred timestamptz, content jsonb, deleted boolean)
    JOIN record_resource r ON r.type = g.type AND r.fhir_id = g.id
    ORDER BY r.type, r.fhir_id FOR UPDATE OF r) o;
  WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(p_rows) AS g (position int, type text, id text, resident bigint, organization bigint,
      episode text, category text, sensitive boolean, occurred timestamptz, content jsonb, deleted boolean, received boolean,
      method text, ref bigint, present jsonb, facts bigint)
    WHERE NOT coalesce((old -> g.position::text -> 'same')::boolean, false)),
  written AS (
    INSERT INTO record_resource AS r (type, fhir_id, version, resident_id, organization_id, consortium_id, episode, category,
        sensitive, occurred_at, updated_at, content, deleted, received, ref, keys, present, facts)
    SELECT type, id, 1, resident, organization, p_consortium, episode, category, sensitive, occurred, p_now,
        content || jsonb_build_object('meta', coalesce(content -> 'meta', '{}')
          || jsonb_build_object('versionId', '1', 'lastUpdated', p_stamp)), deleted, received, ref,
        ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_index -> position -> 'keys') e),
        ARRAY(SELECT e::int FROM jsonb_array_elements_text(present) e), facts
    FROM given ORDER BY type, id
    ON CONFLICT (type, fhir_id) DO UPDATE SET version = r.version + 1, organization_id = excluded.organization_id,
        episode = excluded.episode, category = excluded.category, sensitive = excluded.sensitive,
        occurred_at = excluded.occurred_at, updated_at = excluded.updated_at, deleted = excluded.deleted,
        keys = excluded.keys, present = excluded.present, facts = excluded.facts,
        content = jsonb_set(excluded.content, '{meta,versionId}', to_jsonb((r.version + 1)::text))
    RETURNING r.id, r.type, r.fhir_id, r.version, r.resident_id, r.organization_id, r.episode, r.category, r.sensitive,
        r.content, r.deleted),
  kept AS (
    INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive,
        written_at, written_by_id, content, deleted, method)
    SELECT w.id, w.version, w.resident_id, w.organization_id, w.episode, w.category, w.sensitive, p_now, p_user, w.content,
        w.deleted, g.method
    FROM written w JOIN given g ON g.type = w.type AND g.id = w.fhir_id)
  SELECT array_agg(w.id), array_agg(w.version), array_agg(g.position),
      array_agg(w.id ORDER BY w.id) FILTER (WHERE NOT w.deleted AND w.type IN (SELECT x.type FROM record_watch x))
    INTO ids, versions, places, watched
    FROM written w JOIN given g ON g.type = w.type AND g.id = w.fhir_id;
  IF ids IS NOT NULL THEN
    PERFORM record_index(ids, versions, places, p_index, old);
  END IF;
  -- Step by step: a statement over these arrays would be planned anew at every act, for longer than all of this takes.
  FOR place IN 0 .. jsonb_array_length(p_rows) - 1 LOOP
    answer := answer || coalesce(versions[array_position(places, place)], (old -> place::text ->> 'version')::integer);
  END LOOP;
  RETURN jsonb_build_object('versions', answer, 'watched', coalesce(watched, '{}'))::text;
END $$;

-- The first version of one resource whose id was made a moment ago: what record_write leaves, without asking what was there.
-- p_row and p_index: one element each of those of record_write.
CREATE OR REPLACE FUNCTION record_begin(p_row jsonb, p_index jsonb, p_consortium bigint, p_user bigint, p_now timestamptz, p_stamp text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  resource bigint;
  given record;
  whole jsonb;
  given_keys bigint[] := ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_index -> 'keys') e);
BEGIN
  SELECT * INTO given FROM jsonb_to_record(p_row) AS g (type text, id text, resident bigint, organization bigint, episode text,
    category text, sensitive boolean, occurred timestamptz, content jsonb, received boolean, method text, ref bigint,
    present integer[], facts bigint);
  whole := given.content || jsonb_build_object('meta', coalesce(given.content -> 'meta', '{}')
    || jsonb_build_object('versionId', '1', 'lastUpdated', p_stamp));
  INSERT INTO record_resource (type, fhir_id, version, resident_id, organization_id, consortium_id, episode, category, sensitive,
      occurred_at, updated_at, content, deleted, received, ref, keys, present, facts)
    VALUES (given.type, given.id, 1, given.resident, given.organization, p_consortium, given.episode, given.category,
      given.sensitive, given.occurred, p_now, whole, false, given.received, given.ref,
      given_keys, given.present, given.facts)
    RETURNING id INTO resource;
  INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive, written_at,
      written_by_id, content, deleted, method)
    VALUES (resource, 1, given.resident, given.organization, given.episode, given.category, given.sensitive, p_now, p_user, whole,
      false, given.method);
  PERFORM record_index_first(resource, given_keys, p_index -> 'rest');
  RETURN resource;
END $$;
