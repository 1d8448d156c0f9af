-- One page of a search. p_query: type, where (terms), sort, after (the last row of the page before), limit, total,
-- include, reverse, elements, base. Answers one row; `entries` is the text of Bundle.entry.

CREATE OR REPLACE FUNCTION record_sort_value(p_sort jsonb, p_alias text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  descending boolean := coalesce((p_sort ->> 'desc')::boolean, false);
  name text := (p_sort ->> 'n')::bigint::text;
  pick text := CASE WHEN descending THEN 'max' ELSE 'min' END;
  -- Who has no value comes last, whichever way.
  void text := CASE WHEN descending THEN '-infinity' ELSE 'infinity' END;
BEGIN
  CASE p_sort ->> 'by'
  WHEN 'updated' THEN RETURN p_alias || '.updated_at';
  WHEN 'id' THEN RETURN p_alias || '.fhir_id COLLATE "C"';
  WHEN 'date' THEN
    RETURN format('coalesce((SELECT %s(s.low) FROM record_searchdate s WHERE s.resource_id = %s.id AND s.name = %s), %L::timestamptz)',
      pick, p_alias, name, void);
  WHEN 'amount' THEN
    RETURN format('coalesce((SELECT %s(s.low) FROM record_searchamount s WHERE s.resource_id = %s.id AND s.name = %s), %L::float8)',
      pick, p_alias, name, void);
  WHEN 'string' THEN
    RETURN format('coalesce((SELECT %s(s.norm) FROM record_searchstring s WHERE s.resource_id = %s.id AND s.name = %s), %L COLLATE "C")',
      pick, p_alias, name, CASE WHEN descending THEN '' ELSE chr(1114111) END);
  WHEN 'path' THEN
    RETURN format('coalesce((SELECT %s(v #>> %L COLLATE "C") FROM jsonb_path_query(%s.content, %L) v), %L COLLATE "C")',
      pick, '{}', p_alias, (p_sort ->> 'path')::jsonpath::text, CASE WHEN descending THEN '' ELSE chr(1114111) END);
  END CASE;
END $$;

-- Rows after the last one of the page before: by the first value that differs, then by id.
CREATE OR REPLACE FUNCTION record_after(p_sort jsonb, p_values text[], p_after jsonb, p_id text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  found text := format('%s %s %s', p_id, CASE WHEN coalesce((p_sort #>> '{0,desc}')::boolean, true) THEN '<' ELSE '>' END,
    (p_after ->> 'id')::bigint);
BEGIN
  FOR i IN REVERSE coalesce(array_length(p_values, 1), 0) .. 1 LOOP
    found := format('(%1$s %2$s %3$L OR (%1$s = %3$L AND %4$s))', p_values[i],
      CASE WHEN coalesce((p_sort -> (i - 1) ->> 'desc')::boolean, false) THEN '<' ELSE '>' END,
      p_after -> 'v' ->> (i - 1), found);
  END LOOP;
  RETURN found;
END $$;

-- The table by whose index a page is read in the order of its first sort key; none where a handful is found and then sorted.
CREATE OR REPLACE FUNCTION record_sort_table(p_query jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN record_is_few(p_query -> 'where') THEN NULL ELSE CASE p_query #>> '{sort,0,by}' WHEN 'date' THEN 'record_searchdate'
    WHEN 'amount' THEN 'record_searchamount' WHEN 'string' THEN 'record_searchstring' END END
$$;

-- The resource of an id x of a source: nothing but the way from the one to the other.
CREATE OR REPLACE FUNCTION record_row_of_source() RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'LATERAL (SELECT o.* FROM record_resource o WHERE o.id = x.id OFFSET 0) r'
$$;

-- What is asked of each resource, the wall's first half among it unless p_source has asked it.
CREATE OR REPLACE FUNCTION record_row_conditions(p_query jsonb, p_near text, p_exact text, p_source text) RETURNS text
LANGUAGE sql STABLE SET search_path = public AS $$
  SELECT format('r.type = %L AND NOT r.deleted AND %s AND %s', p_query ->> 'type', CASE WHEN p_source IS NULL THEN format(p_near, 'r') ELSE 'true' END,
    record_conditions(p_query -> 'where', 'r', ' AND ', p_near || ' AND ' || p_exact, p_source IS NOT NULL))
$$;

-- The statement of a page: id and sort values of the rows that match, the wall asked of each in the order of the page.
-- A first sort key with a table of its own is read from that table's index; who has no value follows in phase 1. With a p_source
-- (record_start) only the resources that it names are looked at, one by one.
DROP FUNCTION IF EXISTS record_rows(jsonb, integer);
DROP FUNCTION IF EXISTS record_rows(jsonb, integer, text, text);
CREATE OR REPLACE FUNCTION record_rows(p_query jsonb, p_phase integer, p_near text, p_exact text, p_source text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  sorts jsonb := coalesce(p_query -> 'sort', '[]');
  by_table text := record_sort_table(p_query);
  first_column text := CASE sorts #>> '{0,by}' WHEN 'string' THEN 's.norm' ELSE 's.low' END;
  first_name text := (sorts #>> '{0,n}')::bigint::text;
  descending boolean := coalesce((sorts #>> '{0,desc}')::boolean, true);
  sort_values text[] := '{}';
  ordering text;
  id_column text := CASE WHEN p_source IS NULL THEN 'r.id' ELSE 'x.id' END;
  source text := coalesce('(SELECT x.id FROM (' || p_source || ') x ORDER BY x.id DESC OFFSET 0) x, ' || record_row_of_source(), 'record_resource r');
  conditions text := record_row_conditions(p_query, p_near, p_exact, p_source);
BEGIN
  SELECT coalesce(array_agg(record_sort_value(s, 'r') ORDER BY n), '{}') INTO sort_values
    FROM jsonb_array_elements(sorts) WITH ORDINALITY AS x (s, n);
  IF by_table IS NOT NULL AND p_phase = 0 THEN
    sort_values[1] := first_column;
    id_column := 's.resource_id';
    source := format('%I s JOIN record_resource r ON r.id = s.resource_id', by_table);
    conditions := conditions || format(' AND s.name = %s AND NOT EXISTS (SELECT 1 FROM %I o WHERE o.resource_id = s.resource_id'
      ' AND o.name = %s AND (o.%s, o.place) %s (%s, s.place))', first_name, by_table, first_name, substr(first_column, 3),
      CASE WHEN descending THEN '>' ELSE '<' END, first_column);
  ELSIF by_table IS NOT NULL THEN
    conditions := conditions || format(' AND NOT EXISTS (SELECT 1 FROM %I o WHERE o.resource_id = r.id AND o.name = %s)',
      by_table, first_name);
  END IF;
  IF p_query ? 'after' AND (by_table IS NULL OR (p_query #>> '{after,phase}')::integer = p_phase) THEN
    conditions := conditions || ' AND ' || record_after(sorts, sort_values, p_query -> 'after', id_column);
  END IF;
  SELECT string_agg(sort_values[n] || CASE WHEN coalesce((s ->> 'desc')::boolean, false) THEN ' DESC' ELSE ' ASC' END || ', ', '' ORDER BY n)
    INTO ordering FROM jsonb_array_elements(sorts) WITH ORDINALITY AS x (s, n);
  ordering := coalesce(ordering, '') || id_column || CASE WHEN descending THEN ' DESC' ELSE ' ASC' END;
  RETURN format('SELECT c.id, c.v FROM (SELECT r.id, r.resident_id, r.organization_id, r.episode, r.category,'
    ' r.sensitive, ARRAY[%s]::text[] AS v FROM %s WHERE %s ORDER BY %s OFFSET 0) c WHERE %s LIMIT %s',
    array_to_string(sort_values, ', '), source, conditions, ordering, format(p_exact, 'c'), (p_query ->> 'limit')::integer + 1);
END $$;

-- What an answer shows of a resource when it shows only these elements (or "-text": all but the narrative), with a tag that says so.
CREATE OR REPLACE FUNCTION record_shown(p_content jsonb, p_elements text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(p_content) e
           WHERE ltrim(e.key, '_') = ANY (p_elements) OR '-text' = ANY (p_elements) AND ltrim(e.key, '_') <> 'text')
    || jsonb_build_object('meta', coalesce(p_content -> 'meta', '{}') || jsonb_build_object('tag',
      coalesce(p_content #> '{meta,tag}', '[]') || '[{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
      "code": "SUBSETTED", "display": "subsetted"}]'::jsonb))
$$;

-- Resources that a page brings along: what its references point at, and what points at them, in rounds while :iterate asks so.
DROP FUNCTION IF EXISTS record_included(jsonb, bigint[]);
CREATE OR REPLACE FUNCTION record_included(p_query jsonb, p_ids bigint[], p_whole bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  most constant integer := 1000;
  seen bigint[] := p_ids;
  frontier bigint[] := p_ids;
  fresh bigint[];
  more bigint[];
  one jsonb;
  names bigint[];
BEGIN
  FOR round IN 1 .. 8 LOOP
    fresh := '{}';
    FOR one IN SELECT e FROM jsonb_array_elements(p_query -> 'include') e WHERE round = 1 OR (e ->> 'iterate')::boolean LOOP
      names := array(SELECT (n #>> '{}')::bigint FROM jsonb_array_elements(one -> 'names') n);
      IF one ? 'those' THEN
        -- Named one by one, as no link leads to them.
        more := array(SELECT x.id FROM record_resource x WHERE x.type = one ->> 'type' AND NOT x.deleted
            AND x.fhir_id = ANY (array(SELECT jsonb_array_elements_text(one -> 'those'))) AND x.id <> ALL (seen) AND x.id <> ALL (fresh)
            AND record_readable(x.resident_id, x.organization_id, x.episode, x.category, x.sensitive) LIMIT most);
      ELSIF (one ->> 'reverse')::boolean THEN
        more := array(SELECT DISTINCT x.id FROM record_resource f JOIN record_searchlink l ON l.target = f.ref AND l.name = ANY (names)
          JOIN record_resource x ON x.id = l.resource_id WHERE f.id = ANY (frontier) AND (one ->> 'type' IS NULL OR f.type = one ->> 'type')
            AND NOT x.deleted AND x.id <> ALL (seen) AND x.id <> ALL (fresh)
            AND CASE WHEN x.resident_id = ANY (p_whole) AND NOT x.sensitive THEN true ELSE
              record_readable(x.resident_id, x.organization_id, x.episode, x.category, x.sensitive) END LIMIT most);
      ELSE
        more := array(SELECT DISTINCT x.id FROM record_searchlink l JOIN record_resource x ON x.ref = l.target
          WHERE l.resource_id = ANY (frontier) AND l.name = ANY (names) AND (one ->> 'type' IS NULL OR x.type = one ->> 'type')
            AND NOT x.deleted AND x.id <> ALL (seen) AND x.id <> ALL (fresh)
            AND CASE WHEN x.resident_id = ANY (p_whole) AND NOT x.sensitive THEN true ELSE
              record_readable(x.resident_id, x.organization_id, x.episode, x.category, x.sensitive) END LIMIT most);
      END IF;
      fresh := fresh || more;
    END LOOP;
    EXIT WHEN cardinality(fresh) = 0;
    seen := seen || fresh;
    frontier := fresh;
    EXIT WHEN cardinality(seen) > most + cardinality(p_ids);
  END LOOP;
  RETURN seen[cardinality(p_ids) + 1 :];
END $$;

-- The first rows of a phase: their ids, how many there are up to one more, and the place of the last one on the page.
DROP FUNCTION IF EXISTS record_page(jsonb, integer, integer);
DROP FUNCTION IF EXISTS record_page(jsonb, integer, integer, text, text);
CREATE OR REPLACE FUNCTION record_page(p_query jsonb, p_phase integer, p_limit integer, p_near text, p_exact text, p_source text, p_known bigint[],
  OUT ids bigint[], OUT matched integer, OUT last jsonb) LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE one record;
BEGIN
  ids := '{}';
  matched := 0;
  FOR one IN EXECUTE record_rows(p_query || jsonb_build_object('limit', p_limit), p_phase, p_near, p_exact, p_source) USING p_known LOOP
    matched := matched + 1;
    IF matched <= p_limit THEN
      ids := ids || one.id;
      IF matched = p_limit THEN
        last := jsonb_build_object('id', one.id, 'v', one.v, 'phase', p_phase);
      END IF;
    END IF;
  END LOOP;
END $$;

-- The page of a search whose statement is planned for it: ids, how many there are up to one more, the place of the last one on the page,
-- the total when it is asked for, and the residents who are seen whole.
CREATE OR REPLACE FUNCTION record_planned_page(p_query jsonb, p_limit integer, OUT ids bigint[], OUT matched integer, OUT last jsonb,
  OUT total bigint, OUT whole bigint[]) LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  by_table boolean := record_sort_table(p_query) IS NOT NULL;
  few boolean := record_is_few(p_query -> 'where');
  wall record;
  source text;
  known bigint[];
  walk text;
  later text;
  later_known bigint[];
  rest record;
  -- How many of the newest are walked before anything else is thought of; a setting, so that tests can come to what follows.
  c_newest constant integer := coalesce(nullif(current_setting('doorstep.newest', true), '')::integer,
    CASE WHEN p_query -> 'where' @> '[{"k": "amount"}]' THEN 400 ELSE 2000 END);
BEGIN
  matched := 0;
  SELECT * INTO wall FROM record_wall(few);
  whole := wall.whole;
  IF NOT few AND NOT by_table AND wall.near <> 'true' AND wall.known IS NULL AND p_limit > 0 AND NOT p_query ? 'total'
      AND record_is_common(p_query -> 'where') THEN
    SELECT n.source, n.walk INTO source, walk FROM record_newest(p_query, wall.near, c_newest) n;
    IF source IS NOT NULL THEN
      SELECT p.ids, p.matched, p.last INTO ids, matched, last FROM record_page(p_query, 0, p_limit, wall.near, wall.exact, source, NULL) p;
      IF matched > p_limit OR NOT record_goes_on(walk) THEN
        RETURN;
      END IF;
    END IF;
  END IF;
  IF NOT few AND NOT by_table AND wall.near <> 'true' THEN
    SELECT s.source, s.known, s.walk, s.rest, s.rest_known INTO source, known, walk, later, later_known FROM record_start(p_query, wall.near, wall.known) s;
  END IF;
  IF p_query ? 'total' THEN
    EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM (SELECT r.resident_id, r.organization_id, r.episode, r.category, r.sensitive'
      ' FROM %s WHERE %s OFFSET 0) c WHERE %s LIMIT %s) t',
      coalesce(CASE WHEN walk IS NULL THEN '(' || source || ') x, ' || record_row_of_source() END, 'record_resource r'),
      record_row_conditions(p_query, wall.near, wall.exact, CASE WHEN walk IS NULL THEN source END),
      format(wall.exact, 'c'), (p_query ->> 'total')::bigint) INTO total USING known;
  END IF;
  IF p_limit = 0 THEN
    RETURN;
  END IF;
  IF by_table AND (p_query #>> '{after,phase}')::integer = 1 THEN
    SELECT p.ids, p.matched, p.last INTO ids, matched, last FROM record_page(p_query, 1, p_limit, wall.near, wall.exact, NULL, NULL) p;
    RETURN;
  END IF;
  SELECT p.ids, p.matched, p.last INTO ids, matched, last FROM record_page(p_query, 0, p_limit, wall.near, wall.exact, source, known) p;
  IF walk IS NOT NULL AND matched <= p_limit AND record_goes_on(walk) THEN
    -- So few of the newest are the actor's that it is better to ask of those whom the actor knows.
    IF later IS NULL THEN
      SELECT s.source, s.known INTO later, later_known FROM record_from_known(p_query, wall.known) s;
    END IF;
    source := later;
    known := later_known;
    SELECT p.ids, p.matched, p.last INTO ids, matched, last FROM record_page(p_query, 0, p_limit, wall.near, wall.exact, source, known) p;
  END IF;
  IF by_table AND matched <= p_limit THEN
    -- The page is not full: who has no value to sort by follows.
    SELECT * INTO rest FROM record_page(p_query, 1, p_limit - matched, wall.near, wall.exact, NULL, NULL);
    ids := ids || rest.ids;
    last := CASE WHEN matched < p_limit THEN rest.last ELSE last END;
    matched := matched + rest.matched;
  END IF;
END $$;

-- The page of a search of several types: each type finds its first rows by its own terms ('each': type -> terms), and the first of all
-- of them are the page. Every type is sorted alike.
CREATE OR REPLACE FUNCTION record_page_of_types(p_query jsonb, p_limit integer, OUT ids bigint[], OUT matched integer, OUT last jsonb,
  OUT total bigint) LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  wall record;
  one record;
  single jsonb;
  parts text[] := '{}';
  counted bigint;
  -- The sort keys of this search are instants or texts of one form: as texts they stand in the same order.
  ordering text := '';
  descending boolean := coalesce((p_query #>> '{sort,0,desc}')::boolean, true);
BEGIN
  ids := '{}';
  matched := 0;
  total := CASE WHEN p_query ? 'total' THEN 0 END;
  SELECT * INTO wall FROM record_wall(false);
  FOR one IN SELECT e.key AS type, e.value AS terms FROM jsonb_each(p_query -> 'each') e
      WHERE EXISTS (SELECT 1 FROM record_resource r WHERE r.type = e.key) ORDER BY e.key LOOP
    single := (p_query - 'each' - 'shown') || jsonb_build_object('type', one.type, 'where', one.terms, 'limit', p_limit);
    IF p_limit > 0 THEN
      parts := parts || ('(' || record_rows(single, 0, wall.near, wall.exact) || ')');
    END IF;
    IF total IS NOT NULL THEN
      EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM (SELECT r.resident_id, r.organization_id, r.episode, r.category, r.sensitive'
        ' FROM record_resource r WHERE %s OFFSET 0) c WHERE %s LIMIT %s) t', record_row_conditions(single, wall.near, wall.exact, NULL),
        format(wall.exact, 'c'), (p_query ->> 'total')::bigint) INTO counted;
      total := total + counted;
    END IF;
  END LOOP;
  IF cardinality(parts) = 0 THEN RETURN; END IF;
  SELECT string_agg(format('n.v[%s] COLLATE "C"', k) || CASE WHEN coalesce((s ->> 'desc')::boolean, false) THEN ' DESC, ' ELSE ' ASC, ' END, '' ORDER BY k)
    INTO ordering FROM jsonb_array_elements(p_query -> 'sort') WITH ORDINALITY AS x (s, k);
  FOR one IN EXECUTE format('SELECT n.id, n.v FROM (%s) n ORDER BY %s n.id %s LIMIT %s', array_to_string(parts, ' UNION ALL '),
      coalesce(ordering, ''), CASE WHEN descending THEN 'DESC' ELSE 'ASC' END, p_limit + 1) LOOP
    matched := matched + 1;
    IF matched <= p_limit THEN
      ids := ids || one.id;
      last := jsonb_build_object('id', one.id, 'v', one.v, 'phase', 0);
    END IF;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION record_search(p_query jsonb)
RETURNS TABLE (entries text, matched integer, last jsonb, total bigint, residents bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  page_limit integer := (p_query ->> 'limit')::integer;
  ids bigint[];
  whole bigint[];
  elements text[] := CASE WHEN p_query ? 'elements' THEN array(SELECT jsonb_array_elements_text(p_query -> 'elements')) END;
  -- Of a search of several types: what is shown, by type.
  shown jsonb := p_query -> 'shown';
BEGIN
  IF access_user() IS NULL AND NOT access_is_system() THEN
    matched := 0;
    RETURN NEXT;
    RETURN;
  END IF;
  IF p_query ? 'each' THEN
    SELECT p.ids, p.matched, p.last, p.total INTO ids, matched, last, total FROM record_page_of_types(p_query, page_limit) p;
  ELSIF page_limit > 0 AND NOT p_query ? 'total' AND record_is_few(p_query -> 'where') THEN
    SELECT p.ids, p.matched, p.last, p.whole INTO ids, matched, last, whole FROM record_few_page(p_query, page_limit) p;
  END IF;
  IF ids IS NULL THEN
    SELECT p.ids, p.matched, p.last, p.total, p.whole INTO ids, matched, last, total, whole FROM record_planned_page(p_query, page_limit) p;
  END IF;
  SELECT string_agg('{"fullUrl":' || to_json((p_query ->> 'base') || r.type || '/' || r.fhir_id) || ',"resource":'
      || CASE WHEN shown ? r.type THEN record_shown(r.content, array(SELECT jsonb_array_elements_text(shown -> r.type)))::text
           WHEN elements IS NULL THEN r.content::text ELSE record_shown(r.content, elements)::text END
      || ',"search":{"mode":"' || g.mode || '"}}', ',' ORDER BY g.mode DESC, g.place),
      array_agg(DISTINCT r.resident_id) FILTER (WHERE r.resident_id IS NOT NULL)
    INTO entries, residents
    FROM (SELECT u.id, u.place, 'match' AS mode FROM unnest(ids) WITH ORDINALITY AS u (id, place)
          UNION ALL SELECT u.id, u.place, 'include' FROM unnest(CASE WHEN p_query ? 'include' THEN record_included(p_query, ids, whole) END)
            WITH ORDINALITY AS u (id, place)) g
    JOIN record_resource r ON r.id = g.id;
  RETURN NEXT;
END $$;

-- The ids of what a search finds, for conditional interactions.
CREATE OR REPLACE FUNCTION record_matches(p_query jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF access_user() IS NOT NULL OR access_is_system() THEN
    RETURN QUERY EXECUTE format('SELECT r.fhir_id::text FROM (%s) n JOIN record_resource r ON r.id = n.id',
      (SELECT record_rows(p_query, 0, w.near, w.exact) FROM record_wall(record_is_few(p_query -> 'where')) w));
  END IF;
END $$;

-- Resources of a type that have a key, as far as the actor may read them.
CREATE OR REPLACE FUNCTION record_with_key(p_type text, p_key bigint) RETURNS TABLE (id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT r.id FROM record_searchkey k JOIN record_resource r ON r.id = k.resource_id
   WHERE k.key = p_key AND r.type = p_type AND NOT r.deleted
     AND record_readable(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive)
$$;
