-- The rows of the index of searches, written in the statement that writes the resource. p_old: the keys of the version before
-- (NULL for a first version); p_rest: {"links": [[name, target]], "dates": [[name, low, high]], "amounts": …, "strings": …, "words": …}.
CREATE OR REPLACE FUNCTION record_index(p_id bigint, p_version integer, p_old bigint[], p_new bigint[], p_rest jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM record_resource r WHERE r.id = p_id AND (access_is_system() OR
      (access_user() IS NOT NULL AND (r.resident_id IS NULL OR access_may_see(r.resident_id))))) THEN
    RAISE EXCEPTION 'not a resource of the actor' USING ERRCODE = '42501';
  END IF;
  IF p_old IS NULL AND p_version > 1 THEN
    -- Two transactions wrote the first version at the same time; the later one starts again.
    RAISE EXCEPTION 'the resource was written at the same time' USING ERRCODE = '40001';
  END IF;
  IF p_old IS NOT NULL THEN
    DELETE FROM record_searchkey k USING unnest(p_old) AS o (key)
      WHERE k.key = o.key AND k.resource_id = p_id AND o.key <> ALL (p_new);
    DELETE FROM record_searchlink WHERE resource_id = p_id;
    DELETE FROM record_searchdate WHERE resource_id = p_id;
    DELETE FROM record_searchamount WHERE resource_id = p_id;
    DELETE FROM record_searchstring WHERE resource_id = p_id;
  END IF;
  INSERT INTO record_searchkey (key, resource_id)
    SELECT n.key, p_id FROM unnest(p_new) AS n (key) WHERE p_old IS NULL OR n.key <> ALL (p_old);
  PERFORM record_index_rest(p_id, p_rest);
END $$;

CREATE OR REPLACE FUNCTION record_index_rest(p_id bigint, p_rest jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  IF p_rest ? 'links' THEN
    INSERT INTO record_searchlink (name, target, resource_id)
      SELECT (e ->> 0)::bigint, (e ->> 1)::bigint, p_id FROM jsonb_array_elements(p_rest -> 'links') e;
  END IF;
  IF p_rest ? 'dates' THEN
    INSERT INTO record_searchdate (resource_id, name, place, low, high)
      SELECT p_id, (e ->> 0)::bigint, n, (e ->> 1)::timestamptz, (e ->> 2)::timestamptz
        FROM jsonb_array_elements(p_rest -> 'dates') WITH ORDINALITY AS x (e, n);
  END IF;
  IF p_rest ? 'amounts' THEN
    INSERT INTO record_searchamount (resource_id, name, place, low, high, unit, code, system_code, base, base_low, base_high)
      SELECT p_id, (e ->> 0)::bigint, n, (e ->> 1)::float8, (e ->> 2)::float8, (e ->> 3)::bigint, (e ->> 4)::bigint,
             (e ->> 5)::bigint, (e ->> 6)::bigint, (e ->> 7)::float8, (e ->> 8)::float8
        FROM jsonb_array_elements(p_rest -> 'amounts') WITH ORDINALITY AS x (e, n);
  END IF;
  IF p_rest ? 'strings' THEN
    INSERT INTO record_searchstring (resource_id, name, place, norm, text)
      SELECT p_id, (e ->> 0)::bigint, n, e ->> 1, e ->> 2
        FROM jsonb_array_elements(p_rest -> 'strings') WITH ORDINALITY AS x (e, n);
  END IF;
  IF p_rest ? 'words' THEN
    -- Most words are there already: a look costs less than a conflict, which would lock and write.
    INSERT INTO record_searchword (name, norm, key)
      SELECT (e ->> 0)::bigint, e ->> 1, (e ->> 2)::bigint FROM jsonb_array_elements(p_rest -> 'words') e
       WHERE NOT EXISTS (SELECT 1 FROM record_searchword w WHERE w.name = (e ->> 0)::bigint AND w.norm = e ->> 1)
    ON CONFLICT DO NOTHING;
  END IF;
END $$;
