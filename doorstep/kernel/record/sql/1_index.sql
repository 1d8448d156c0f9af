-- The rows of the index of searches, in the transaction that writes the resources. p_ids, p_versions and p_places are parallel;
-- p_index holds at each place {"keys": [key], "facts": number, "rest": {"links": [[name, target]], "dates": [[name, low, high]],
-- "amounts": …, "strings": …, "words": …}}; p_old holds by place the keys and the number of the facts of the version before. Keys
-- that stay are left alone, and the rest is written only when the number of the facts is another. One plan for all acts: the
-- database would plan for the very arrays of each act, a sixth of the time that an act takes, and plan the same.
CREATE OR REPLACE FUNCTION record_index(p_ids bigint[], p_versions integer[], p_places integer[], p_index jsonb, p_old jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  changed bigint[];
  rests jsonb;
  before bigint[];
  gone_keys bigint[];
  gone_ids bigint[];
BEGIN
  IF (SELECT count(*) FROM record_resource r WHERE r.id = ANY (p_ids) AND (access_is_system() OR
      (access_user() IS NOT NULL AND (r.resident_id IS NULL OR access_may_see(r.resident_id))))) < cardinality(p_ids) THEN
    RAISE EXCEPTION 'not a resource of the actor' USING ERRCODE = '42501';
  END IF;
  IF EXISTS (SELECT 1 FROM unnest(p_versions, p_places) AS v (version, place) WHERE v.version > 1 AND NOT p_old ? v.place::text) THEN
    -- Two transactions wrote the first version at the same time; the later one starts again.
    RAISE EXCEPTION 'the resource was written at the same time' USING ERRCODE = '40001';
  END IF;
  IF p_old <> '{}' THEN
    SELECT array_agg(o.key::bigint), array_agg(n.id) INTO gone_keys, gone_ids FROM unnest(p_ids, p_places) AS n (id, place),
      jsonb_array_elements_text(p_old -> n.place::text -> 'keys') AS o (key)
      WHERE NOT p_index -> n.place -> 'keys' @> to_jsonb(o.key::bigint);
    IF gone_keys IS NOT NULL THEN
      DELETE FROM record_searchkey k USING unnest(gone_keys, gone_ids) AS gone (key, id) WHERE k.key = gone.key AND k.resource_id = gone.id;
    END IF;
  END IF;
  INSERT INTO record_searchkey (key, resource_id)
    SELECT e.key::bigint, n.id FROM unnest(p_ids, p_places) AS n (id, place),
      jsonb_array_elements_text(p_index -> n.place -> 'keys') AS e (key)
    WHERE NOT coalesce(p_old -> n.place::text -> 'keys' @> to_jsonb(e.key::bigint), false);
  SELECT array_agg(n.id), jsonb_agg(p_index -> n.place -> 'rest'), array_agg(n.id) FILTER (WHERE p_old ? n.place::text)
    INTO changed, rests, before FROM unnest(p_ids, p_places) AS n (id, place)
    WHERE (p_old -> n.place::text ->> 'facts') IS DISTINCT FROM (p_index -> n.place ->> 'facts');
  IF before IS NOT NULL THEN
    DELETE FROM record_searchlink WHERE resource_id = ANY (before);
    DELETE FROM record_searchdate WHERE resource_id = ANY (before);
    DELETE FROM record_searchamount WHERE resource_id = ANY (before);
    DELETE FROM record_searchstring WHERE resource_id = ANY (before);
  END IF;
  IF changed IS NOT NULL THEN
    PERFORM record_index_rest(changed, rests);
  END IF;
END $$;

-- Links, dates, amounts, texts and words of resources that have none yet; p_rests is parallel to p_ids.
CREATE OR REPLACE FUNCTION record_index_rest(p_ids bigint[], p_rests jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  INSERT INTO record_searchlink (name, target, resource_id)
    SELECT (e ->> 0)::bigint, (e ->> 1)::bigint, n.id FROM unnest(p_ids) WITH ORDINALITY AS n (id, place),
      jsonb_array_elements(p_rests -> (n.place::int - 1) -> 'links') e;
  INSERT INTO record_searchdate (resource_id, name, place, low, high)
    SELECT n.id, (e ->> 0)::bigint, x.row, (e ->> 1)::timestamptz, (e ->> 2)::timestamptz
      FROM unnest(p_ids) WITH ORDINALITY AS n (id, place),
        jsonb_array_elements(p_rests -> (n.place::int - 1) -> 'dates') WITH ORDINALITY AS x (e, row);
  IF jsonb_path_exists(p_rests, '$[*].amounts') THEN
    INSERT INTO record_searchamount (resource_id, resident_id, name, place, low, high, unit, code, system_code, base, base_low, base_high)
      SELECT n.id, (SELECT r.resident_id FROM record_resource r WHERE r.id = n.id), (e ->> 0)::bigint, x.row, (e ->> 1)::float8, (e ->> 2)::float8, (e ->> 3)::bigint, (e ->> 4)::bigint,
             (e ->> 5)::bigint, (e ->> 6)::bigint, (e ->> 7)::float8, (e ->> 8)::float8
        FROM unnest(p_ids) WITH ORDINALITY AS n (id, place),
          jsonb_array_elements(p_rests -> (n.place::int - 1) -> 'amounts') WITH ORDINALITY AS x (e, row);
  END IF;
  IF jsonb_path_exists(p_rests, '$[*].strings') THEN
    INSERT INTO record_searchstring (resource_id, resident_id, name, place, norm, text)
      SELECT n.id, (SELECT r.resident_id FROM record_resource r WHERE r.id = n.id), (e ->> 0)::bigint, x.row, e ->> 1, e ->> 2
        FROM unnest(p_ids) WITH ORDINALITY AS n (id, place),
          jsonb_array_elements(p_rests -> (n.place::int - 1) -> 'strings') WITH ORDINALITY AS x (e, row);
  END IF;
  IF jsonb_path_exists(p_rests, '$[*].words') THEN
    -- Most words are there already: a look costs less than a conflict, which would lock and write. Always in the same order, so
    -- that two writers never wait for each other.
    INSERT INTO record_searchword (name, norm, key)
      SELECT w.name, w.norm, w.key FROM (
        SELECT DISTINCT (e ->> 0)::bigint AS name, e ->> 1 AS norm, (e ->> 2)::bigint AS key
          FROM jsonb_array_elements(p_rests) r, jsonb_array_elements(r -> 'words') e) w
       WHERE NOT EXISTS (SELECT 1 FROM record_searchword k WHERE k.name = w.name AND k.norm = w.norm)
       ORDER BY w.name, w.norm
    ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- The same for resources that were inserted a moment ago and have no rows yet: p_index are their elements, one for each of p_ids. What this
-- very transaction inserted has passed the wall.
DROP FUNCTION IF EXISTS record_index_first(bigint, bigint[], jsonb);
CREATE OR REPLACE FUNCTION record_index_first(p_ids bigint[], p_index jsonb[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF (SELECT count(*) FROM record_resource r WHERE r.id = ANY (p_ids) AND r.version = 1 AND (
      r.xmin = pg_current_xact_id()::xid OR access_is_system()
      OR (access_user() IS NOT NULL AND (r.resident_id IS NULL OR access_may_see(r.resident_id))))) < cardinality(p_ids) THEN
    RAISE EXCEPTION 'not a resource of the actor' USING ERRCODE = '42501';
  END IF;
  INSERT INTO record_searchkey (key, resource_id)
    SELECT k::bigint, n.id FROM unnest(p_ids, p_index) AS n (id, index), jsonb_array_elements_text(n.index -> 'keys') AS k;
  INSERT INTO record_searchlink (name, target, resource_id)
    SELECT (e ->> 0)::bigint, (e ->> 1)::bigint, n.id
      FROM unnest(p_ids, p_index) AS n (id, index), jsonb_array_elements(n.index -> 'rest' -> 'links') AS e;
  INSERT INTO record_searchdate (resource_id, name, place, low, high)
    SELECT n.id, (e ->> 0)::bigint, x.row, (e ->> 1)::timestamptz, (e ->> 2)::timestamptz
      FROM unnest(p_ids, p_index) AS n (id, index), jsonb_array_elements(n.index -> 'rest' -> 'dates') WITH ORDINALITY AS x (e, row);
  -- Each word is looked for by itself: a join with all words would read all of them.
  IF EXISTS (SELECT 1 FROM unnest(p_index) AS i (index) WHERE i.index -> 'rest' ?| ARRAY['amounts', 'strings']) OR EXISTS (
      SELECT 1 FROM unnest(p_index) AS i (index), jsonb_array_elements(i.index -> 'rest' -> 'words') AS e
       WHERE (SELECT k.key FROM record_searchword k WHERE k.name = (e ->> 0)::bigint AND k.norm = e ->> 1 LIMIT 1) IS NULL) THEN
    PERFORM record_index_rest(p_ids,
      (SELECT jsonb_agg((i.index -> 'rest') - '{links,dates}'::text[] ORDER BY i.place) FROM unnest(p_index) WITH ORDINALITY AS i (index, place)));
  END IF;
END $$;

-- Amounts and texts carry the resident of their resource, also when the records of two residents become one, or part again.
CREATE OR REPLACE FUNCTION record_amount_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  UPDATE record_searchamount SET resident_id = NEW.resident_id WHERE resource_id = NEW.id;
  UPDATE record_searchstring SET resident_id = NEW.resident_id WHERE resource_id = NEW.id;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER record_amount_owner AFTER UPDATE OF resident_id ON record_resource
  FOR EACH ROW WHEN (OLD.resident_id IS DISTINCT FROM NEW.resident_id) EXECUTE FUNCTION record_amount_owner();
