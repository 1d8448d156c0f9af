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
      NOT r.deleted AND NOT g.deleted AND (r.episode, r.category, r.sensitive) = (g.episode, g.category, g.sensitive)
        -- When it happened orders a chart; of what is nobody's (a unit, a person who works, a post) it only says when it was written.
        AND (r.occurred_at = g.occurred OR r.resident_id IS NULL)
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

-- The first versions of resources whose ids were made a moment ago: what record_write leaves, without asking what was there.
-- The arrays are parallel. p_rows and p_index: elements of those of record_write; p_residents stand in place of what the rows say;
-- p_written: {"consortium", "user", "now", "stamp"}.
DROP FUNCTION IF EXISTS record_begin(jsonb, jsonb, bigint, bigint, timestamptz, text);
CREATE OR REPLACE FUNCTION record_begin(p_rows jsonb[], p_index jsonb[], p_residents bigint[], p_written jsonb[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  resources bigint[];
  indexed jsonb[];
BEGIN
  WITH given AS MATERIALIZED (
      SELECT t.resident, t.index, t.place, g.*, w."user", w.consortium, w.now,
          g.content || jsonb_build_object('meta', coalesce(g.content -> 'meta', '{}')
            || jsonb_build_object('versionId', '1', 'lastUpdated', w.stamp)) AS whole
        FROM unnest(p_rows, p_index, p_residents, p_written) WITH ORDINALITY AS t (shown, index, resident, written, place),
          LATERAL jsonb_to_record(t.shown) AS g (type text, id text, organization bigint, episode text, category text, sensitive boolean,
            occurred timestamptz, content jsonb, received boolean, method text, ref bigint, present integer[], facts bigint),
          LATERAL jsonb_to_record(t.written) AS w (consortium bigint, "user" bigint, now timestamptz, stamp text)),
    made AS (
      INSERT INTO record_resource (type, fhir_id, version, resident_id, organization_id, consortium_id, episode, category, sensitive,
          occurred_at, updated_at, content, deleted, received, ref, keys, present, facts)
        SELECT g.type, g.id, 1, g.resident, g.organization, g.consortium, g.episode, g.category, g.sensitive, g.occurred, g.now, g.whole,
          false, g.received, g.ref, ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(g.index -> 'keys') e), g.present, g.facts
        FROM given g ORDER BY g.place
        RETURNING id, ref),
    versions AS (
      INSERT INTO record_resourceversion (resource_id, version, resident_id, organization_id, episode, category, sensitive, written_at,
          written_by_id, content, deleted, method)
        SELECT m.id, 1, g.resident, g.organization, g.episode, g.category, g.sensitive, g.now, g."user", g.whole, false, g.method
        FROM made m JOIN given g ON g.ref = m.ref)
    SELECT array_agg(m.id ORDER BY g.place), array_agg(g.index ORDER BY g.place) INTO resources, indexed
      FROM made m JOIN given g ON g.ref = m.ref;
  PERFORM record_index_first(resources, indexed);
END $$;
