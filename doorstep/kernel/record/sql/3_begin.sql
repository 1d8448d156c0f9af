-- Where a search without a patient begins, when the actor is not the whole county: not with everybody's values, which may be passed
-- over by the hundred thousand until twenty are the actor's, but with what is less. Each beginning is a statement of ids among which all
-- that match are; it is answered by indexes alone, and what it finds is then looked at one by one, the newest first. LATERAL and OFFSET 0 leave the planner no
-- other way: it takes what belongs together, a code with its values, for independent, and is wrong by the thousand.
--
-- First the newest with the code, or of the type, are walked until a page is full, but only a few (record_newest): what is common is
-- found there at once. Where it is not, or cannot be (record_is_common, record_start):
--
--   a term that few resources match (a rare code, a name)   → these
--   an amount                                               → the amounts like it, those of others passed over within the index
--                                                             (3_known.sql); resident by resident where the actor knows very few
--   the name of a patient                                   → the patients of that name whom the actor knows, and what is about them
--   the actor knows very few                                → all that these residents have of the type
--   a date between two, and few lie there                   → these
--   anything else                                           → the newest again, as many as `walk` says; when too few of these are the
--                                                             actor's, all that the known residents have
-- An actor who knows more than c_known sees so much that the newest are soon found: the planner has its way.

-- Ids of what a term alone matches, from the term's index; NULL where several indexes would be asked.
CREATE OR REPLACE FUNCTION record_matched(p_term jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_term ->> 'k'
    WHEN 'amount' THEN format('SELECT a.resource_id AS id FROM record_searchamount a WHERE a.name = %s AND %s%s', (p_term ->> 'n')::bigint,
      record_amount_bound(p_term, false), record_amount_unit(p_term))
        || CASE WHEN record_amount_bound(p_term, true) IS NULL THEN '' ELSE format(' UNION ALL SELECT a.resource_id FROM record_searchamount a'
          ' WHERE a.name = %s AND %s%s', (p_term ->> 'n')::bigint, record_amount_bound(p_term, true), record_amount_unit(p_term)) END
    WHEN 'key' THEN 'SELECT k.resource_id AS id FROM record_searchkey k WHERE k.key = ANY (' || record_numbers(p_term -> 'v') || ')'
    WHEN 'link' THEN CASE WHEN NOT p_term ? 'patient' THEN format('SELECT l.resource_id AS id FROM record_searchlink l WHERE l.name = %s'
      ' AND l.target = ANY (%s)', (p_term ->> 'n')::bigint, record_numbers(p_term -> 'v')) END
    WHEN 'string' THEN CASE WHEN p_term ->> 'm' IN ('prefix', 'exact', 'equal') THEN
      format('SELECT s.resource_id AS id FROM record_searchstring s WHERE s.name = %s AND %s', (p_term ->> 'n')::bigint,
        record_text(p_term ->> 'm', p_term ->> 'v', p_term ->> 'w')) END
    END
$$;

-- Ids of a statement, as far as they are of a type and pass p_near and then p_more; asked of indexes, row by row.
CREATE OR REPLACE FUNCTION record_near(p_ids text, p_type text, p_near text, p_more text DEFAULT 'true') RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format('SELECT m.id FROM (%s) m WHERE CASE WHEN EXISTS (SELECT 1 FROM record_resource i WHERE i.type = %L AND i.id = m.id AND %s OFFSET 0)'
    ' THEN %s END', p_ids, p_type, format(p_near, 'i'), p_more)
$$;

-- What indexes by the resource's number can say of a search's terms.
CREATE OR REPLACE FUNCTION record_by_number(p_terms jsonb, p_alias text) RETURNS text LANGUAGE sql STABLE SET search_path = public AS $$
  SELECT coalesce(string_agg(left(record_condition(t, p_alias, false, NULL), -1) || ' OFFSET 0)', ' AND '), 'true')
    FROM jsonb_array_elements(p_terms) t WHERE t ->> 'k' IN ('key', 'link', 'date', 'amount', 'string') AND NOT t ? 'broad'
$$;

-- Ids with a date between the two that a term asks for, when these are some days apart and at most p_most begin there: nearly all dates
-- are points or days, those that last longer have an index of their own. NULL where an end is open, or where more are found.
CREATE OR REPLACE FUNCTION record_between(p_term jsonb, p_most integer) RETURNS text LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  since timestamptz;
  until timestamptz;
  ids text;
BEGIN
  SELECT max((o ->> 1)::timestamptz) FILTER (WHERE o ->> 0 IN ('eq', 'gt', 'ge', 'sa', 'ap')),
      min((o ->> 2)::timestamptz) FILTER (WHERE o ->> 0 IN ('eq', 'lt', 'le', 'eb', 'ap'))
    INTO since, until FROM jsonb_array_elements(p_term -> 'v') o;
  -- Within a month a page is found sooner among the newest than so many dates are counted.
  IF since IS NULL OR until IS NULL OR until - since > interval '10 days' THEN
    RETURN NULL;
  END IF;
  ids := format('SELECT d.resource_id AS id FROM record_searchdate d WHERE d.name = %1$s AND d.low >= %2$L AND d.low < %3$L'
    ' UNION ALL SELECT d.resource_id FROM record_searchdate d WHERE d.name = %1$s AND d.high - d.low > interval %4$L AND d.high >= %5$L AND d.low < %3$L',
    (p_term ->> 'n')::bigint, since - interval '1 day', until, '1 day', since);
  RETURN CASE WHEN record_is_rare(ids, p_most) THEN ids END;
END $$;

-- Whether a statement finds at most so many rows.
CREATE OR REPLACE FUNCTION record_is_rare(p_ids text, p_most integer) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE rare boolean;
BEGIN
  EXECUTE format('SELECT count(*) <= %1$s FROM (SELECT 1 FROM (%2$s) m LIMIT %1$s + 1) m', p_most, p_ids) INTO rare;
  RETURN rare;
END $$;

-- The newest with a code of the search, or of its type, as far as indexes can say that they match; NULL where another order is asked
-- for. `walk` finds a row where there are more than p_most.
CREATE OR REPLACE FUNCTION record_newest(p_query jsonb, p_near text, p_most integer, OUT source text, OUT walk text)
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  wanted jsonb := p_query -> 'where';
  type text := p_query ->> 'type';
  below text := coalesce(' < ' || (p_query #>> '{after,id}')::bigint, ' IS NOT NULL');
  one jsonb;
BEGIN
  IF coalesce(jsonb_array_length(p_query -> 'sort'), 0) > 0 THEN
    RETURN;
  END IF;
  SELECT t INTO one FROM jsonb_array_elements(wanted) t
    WHERE t ->> 'k' = 'key' AND NOT t ? 'broad' AND jsonb_array_length(t -> 'v') = 1 LIMIT 1;
  IF FOUND THEN
    walk := format('SELECT k.resource_id AS id FROM record_searchkey k WHERE k.key = %s AND k.resource_id %s ORDER BY k.resource_id DESC',
      (one #>> '{v,0}')::bigint, below);
    source := record_near(walk || ' LIMIT ' || p_most, type, p_near, record_by_number(wanted, 'm'));
  ELSE
    walk := format('SELECT w.id, w.resident_id FROM record_resource w WHERE w.type = %L AND w.id %s ORDER BY w.id DESC', type, below);
    source := format('SELECT m.id FROM (%s LIMIT %s) m WHERE CASE WHEN %s THEN %s END', walk, p_most, format(p_near, 'm'), record_by_number(wanted, 'm'));
  END IF;
  walk := walk || ' LIMIT 1 OFFSET ' || p_most;
END $$;

-- Whether a page may be found among the newest: not before a day that is past, and not of patients with a name.
CREATE OR REPLACE FUNCTION record_is_common(p_terms jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = public AS $$
  SELECT NOT jsonb_path_exists(p_terms, '$[*] ? (@.k == "date").v[*][0] ? (@ == "eq" || @ == "lt" || @ == "le" || @ == "eb" || @ == "ap")')
    AND NOT jsonb_path_exists(p_terms, '$[*] ? (@.k == "chain" && @.type == "Patient")')
$$;

-- The beginning of a search, NULL where the planner chooses; $1 in `source` is `known`: the known residents, or ids. `walk` is set when `source` ends after so many
-- rows: a statement that finds a row where there are more; `rest` with `rest_known` then says how to go on, otherwise record_from_known does.
DROP FUNCTION IF EXISTS record_start(jsonb, text, bigint[]);
CREATE OR REPLACE FUNCTION record_start(p_query jsonb, p_near text, p_known bigint[], OUT source text, OUT known bigint[], OUT walk text,
  OUT rest text, OUT rest_known bigint[])
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  c_known constant integer := 20000;
  c_walk constant integer := 20000;
  wanted jsonb := p_query -> 'where';
  type text := p_query ->> 'type';
  one jsonb;
BEGIN
  source := record_rare(wanted, type, p_near, CASE WHEN p_known IS NULL THEN 1000 ELSE 200 END);
  IF source IS NOT NULL THEN
    RETURN;
  END IF;
  SELECT t INTO one FROM jsonb_array_elements(wanted) t WHERE t ->> 'k' = 'amount' LIMIT 1;
  IF FOUND THEN
    known := coalesce(p_known, access_acquainted(c_known));
    IF p_known IS NULL AND known IS NOT NULL THEN
      rest_known := known;
      SELECT b.source, b.known, b.rest, CASE WHEN b.rest IS NOT NULL THEN 'SELECT 1' END INTO source, known, rest, walk
        FROM record_from_amounts(p_query, one, known) b;
    ELSE
      source := CASE WHEN known IS NOT NULL THEN record_amounts_of_known(one) ELSE record_rare(jsonb_build_array(one), type, p_near, c_walk) END;
    END IF;
    IF source IS NOT NULL THEN
      RETURN;
    END IF;
  END IF;
  SELECT t INTO one FROM jsonb_array_elements(wanted) t
    WHERE t ->> 'k' = 'chain' AND t ->> 'type' = 'Patient' AND record_matched(t #> '{c,0}') IS NOT NULL LIMIT 1;
  IF FOUND THEN
    known := coalesce(p_known, CASE WHEN one #>> '{c,0,k}' = 'string' THEN access_acquainted(c_known) END);
    IF p_known IS NULL AND known IS NOT NULL THEN
      SELECT b.source, b.known, b.rest, b.rest_known, CASE WHEN b.rest IS NOT NULL THEN 'SELECT 1' END INTO source, known, rest, rest_known, walk
        FROM record_from_names(p_query, one, known) b;
      RETURN;
    ELSIF p_known IS NOT NULL THEN
      source := record_all_of_known(jsonb_build_object('type', 'Patient', 'where', one -> 'c'));
    ELSIF record_is_rare(record_matched(one #> '{c,0}'), 1000) THEN
      source := record_near(record_matched(one #> '{c,0}'), 'Patient', p_near);
    ELSE
      -- Theirs are gathered first, which is less than to ask of each of that name whose it is.
      known := record_patients_of(access_acquainted(c_known));
      source := CASE WHEN known IS NOT NULL THEN format('SELECT m.id FROM (%s) m WHERE m.id = ANY ($1)', record_matched(one #> '{c,0}')) END;
    END IF;
    IF source IS NOT NULL THEN
      source := record_about(one, source);
      RETURN;
    END IF;
  END IF;
  IF p_known IS NOT NULL THEN
    SELECT b.source, b.known INTO source, known FROM record_from_known(p_query, p_known) b;
    RETURN;
  END IF;
  SELECT record_between(t, c_walk) INTO source FROM jsonb_array_elements(wanted) t WHERE t ->> 'k' = 'date' LIMIT 1;
  IF source IS NOT NULL THEN
    source := record_near('SELECT DISTINCT d.id FROM (' || source || ') d ORDER BY d.id DESC', type, p_near);
  ELSE
    SELECT n.source, n.walk INTO source, walk FROM record_newest(p_query, p_near, c_walk) n;
  END IF;
END $$;

-- Ids of a term that at most so many resources match, ten times as many of texts, along which nothing can be walked; NULL without one.
CREATE OR REPLACE FUNCTION record_rare(p_terms jsonb, p_type text, p_near text, p_most integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  one jsonb;
  ids text;
BEGIN
  FOR one IN SELECT t FROM jsonb_array_elements(p_terms) t WHERE NOT t ? 'broad' AND (t ->> 'k' <> 'amount' OR p_most > 1000) LOOP
    ids := record_matched(one);
    IF ids IS NOT NULL THEN
      IF record_is_rare(ids, CASE WHEN one ->> 'k' = 'string' AND access_knows_few(20000) THEN 10 * p_most ELSE p_most END) THEN
        RETURN record_near('SELECT DISTINCT m.id FROM (' || ids || ') m ORDER BY m.id DESC', p_type, p_near);
      END IF;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- Whether a statement finds a row.
CREATE OR REPLACE FUNCTION record_goes_on(p_statement text) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE found bigint;
BEGIN
  EXECUTE p_statement INTO found;
  RETURN found IS NOT NULL;
END $$;
