-- Where a search without a patient begins, when the actor is not the whole county: not with everybody's values, which may be passed
-- over by the hundred thousand until twenty are the actor's, but with what is less. Each beginning is a statement of ids among which all
-- that match are; it is answered by indexes alone, and what it finds is then looked at one by one, the newest first. LATERAL and OFFSET 0 leave the planner no
-- other way: it takes what belongs together, a code with its values, for independent, and is wrong by the thousand.
--
--   a term that few resources match (a rare code, a name)   → these
--   an amount, and the actor knows few residents            → the amounts of each of these residents
--   the name of a patient, and the actor knows few          → the patients of that name whom the actor knows, and what is about them
--   the actor knows very few                                → all that these residents have of the type
--   anything else                                           → the newest with the code, or of the type, as many as `walk` says; when too
--                                                             few of these are the actor's, all that the known residents have
-- An actor with more relationships than c_known sees so much that the newest are soon found: the planner has its way.

-- Ids of what a term alone matches, from the term's index; NULL where several indexes would be asked.
CREATE OR REPLACE FUNCTION record_matched(p_term jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_term ->> 'k'
    WHEN 'amount' THEN format('SELECT a.resource_id AS id FROM record_searchamount a WHERE a.name = %s AND %s%s', (p_term ->> 'n')::bigint,
      record_amount_bound(p_term, false), record_amount_unit(p_term))
        || coalesce(format(' UNION ALL SELECT a.resource_id FROM record_searchamount a WHERE a.name = %s AND %s%s', (p_term ->> 'n')::bigint,
          record_amount_bound(p_term, true), record_amount_unit(p_term)), '')
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

-- Ids with an amount as p_term asks, resident by resident; spans, which are few, from an index of their own. Without a base
-- unit CASE keeps the planner from the index by value, which it takes for as good.
CREATE OR REPLACE FUNCTION record_amounts_of_known(p_term jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = public AS $$
DECLARE
  name text := (p_term ->> 'n')::bigint::text;
  of_span text := record_amount_bound(p_term, true);
  bound text := record_amount_bound(p_term, false) || record_amount_unit(p_term);
BEGIN
  IF NOT p_term ? 'base' THEN
    bound := 'CASE WHEN ' || bound || ' THEN true END';
  END IF;
  RETURN format('SELECT a.id FROM unnest($1) AS e (id), LATERAL (SELECT a.resource_id AS id FROM record_searchamount a WHERE a.resident_id = e.id'
      ' AND a.name = %1$s AND %2$s OFFSET 0) a'
      ' UNION SELECT a.resource_id FROM record_searchamount a WHERE a.resident_id IS NULL AND a.name = %1$s AND %2$s', name, bound)
    || CASE WHEN of_span IS NULL THEN '' ELSE format(' UNION SELECT a.resource_id FROM record_searchamount a WHERE a.name = %s AND %s%s',
      name, of_span, record_amount_unit(p_term)) END;
END $$;

-- Ids of all that the known residents have of a type, and of what belongs to nobody, as far as indexes can say that it matches.
CREATE OR REPLACE FUNCTION record_all_of_known(p_query jsonb) RETURNS text LANGUAGE sql STABLE SET search_path = public AS $$
  SELECT format('SELECT i.id FROM unnest($1) AS e (id), LATERAL (SELECT i.id FROM record_resource i WHERE i.resident_id = e.id AND %1$s OFFSET 0) i'
      ' UNION ALL SELECT i.id FROM record_resource i WHERE i.resident_id IS NULL AND %1$s',
    format('i.type = %L AND ', p_query ->> 'type') || record_by_number(p_query -> 'where', 'i'))
$$;

-- The last beginning of all: source and known are NULL when the actor knows too many, or when the type is nobody's.
CREATE OR REPLACE FUNCTION record_from_known(p_query jsonb, p_known bigint[], OUT source text, OUT known bigint[])
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  c_known constant integer := 20000;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM record_resource i WHERE i.resident_id IS NULL AND i.type = p_query ->> 'type' OFFSET 200) THEN
    known := coalesce(p_known, access_acquainted(c_known));
    source := CASE WHEN known IS NOT NULL THEN record_all_of_known(p_query) END;
  END IF;
END $$;

-- The beginning of a search, NULL where the planner chooses; $1 in `source` is `known`. `walk` is set when `source` ends after so many
-- rows: a statement that finds a row where there are more.
CREATE OR REPLACE FUNCTION record_start(p_query jsonb, p_near text, p_known bigint[], OUT source text, OUT known bigint[], OUT walk text)
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  c_known constant integer := 20000;
  c_walk constant integer := 20000;
  wanted jsonb := p_query -> 'where';
  type text := p_query ->> 'type';
  below text := coalesce(' < ' || (p_query #>> '{after,id}')::bigint, ' IS NOT NULL');
  one jsonb;
BEGIN
  source := record_rare(wanted, type, p_near, CASE WHEN p_known IS NULL THEN 1000 ELSE 200 END);
  IF source IS NOT NULL THEN
    RETURN;
  END IF;
  SELECT t INTO one FROM jsonb_array_elements(wanted) t WHERE t ->> 'k' = 'amount' LIMIT 1;
  IF FOUND THEN
    known := coalesce(p_known, access_acquainted(c_known));
    source := CASE WHEN known IS NOT NULL THEN record_amounts_of_known(one) ELSE record_rare(jsonb_build_array(one), type, p_near, c_walk) END;
    IF source IS NOT NULL THEN
      RETURN;
    END IF;
  END IF;
  SELECT t INTO one FROM jsonb_array_elements(wanted) t
    WHERE t ->> 'k' = 'chain' AND t ->> 'type' = 'Patient' AND record_matched(t #> '{c,0}') IS NOT NULL LIMIT 1;
  IF FOUND AND (p_known IS NOT NULL OR access_knows_few(c_known)) THEN
    known := p_known;
    source := record_about(one, CASE WHEN p_known IS NULL THEN record_near(record_matched(one #> '{c,0}'), 'Patient', p_near)
      ELSE record_all_of_known(jsonb_build_object('type', 'Patient', 'where', one -> 'c')) END);
    RETURN;
  END IF;
  IF p_known IS NOT NULL THEN
    SELECT b.source, b.known INTO source, known FROM record_from_known(p_query, p_known) b;
    RETURN;
  END IF;
  IF coalesce(jsonb_array_length(p_query -> 'sort'), 0) = 0 THEN
    SELECT t INTO one FROM jsonb_array_elements(wanted) t
      WHERE t ->> 'k' = 'key' AND NOT t ? 'broad' AND jsonb_array_length(t -> 'v') = 1 LIMIT 1;
    IF FOUND THEN
      walk := format('SELECT k.resource_id AS id FROM record_searchkey k WHERE k.key = %s AND k.resource_id %s ORDER BY k.resource_id DESC',
        (one #>> '{v,0}')::bigint, below);
      source := record_near(walk || ' LIMIT ' || c_walk, type, p_near, record_by_number(wanted, 'm'));
    ELSE
      walk := format('SELECT w.id, w.resident_id FROM record_resource w WHERE w.type = %L AND w.id %s ORDER BY w.id DESC', type, below);
      source := format('SELECT m.id FROM (%s LIMIT %s) m WHERE CASE WHEN %s THEN %s END', walk, c_walk, format(p_near, 'm'), record_by_number(wanted, 'm'));
    END IF;
    walk := walk || ' LIMIT 1 OFFSET ' || c_walk;
  END IF;
END $$;

-- Ids of a term that at most so many resources match, ten times as many of texts, along which nothing can be walked; NULL without one.
CREATE OR REPLACE FUNCTION record_rare(p_terms jsonb, p_type text, p_near text, p_most integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  one jsonb;
  ids text;
  rare boolean;
BEGIN
  FOR one IN SELECT t FROM jsonb_array_elements(p_terms) t WHERE NOT t ? 'broad' AND (t ->> 'k' <> 'amount' OR p_most > 1000) LOOP
    ids := record_matched(one);
    IF ids IS NOT NULL THEN
      EXECUTE format('SELECT count(*) <= %1$s FROM (SELECT 1 FROM (%2$s) m LIMIT %1$s + 1) m',
        CASE WHEN one ->> 'k' = 'string' AND access_knows_few(20000) THEN 10 * p_most ELSE p_most END, ids) INTO rare;
      IF rare THEN
        RETURN record_near('SELECT DISTINCT m.id FROM (' || ids || ') m', p_type, p_near);
      END IF;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- Ids of what is about these patients, a statement, by a link of a chain.
CREATE OR REPLACE FUNCTION record_about(p_chain jsonb, p_patients text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format('SELECT DISTINCT l.resource_id AS id FROM (SELECT p.ref FROM (%s OFFSET 0) n JOIN record_resource p ON p.id = n.id OFFSET 0) n'
    ' JOIN record_searchlink l ON l.target = n.ref AND l.name = ANY (%s)', p_patients, record_numbers(p_chain -> 'names'))
$$;

-- Whether a statement finds a row.
CREATE OR REPLACE FUNCTION record_goes_on(p_statement text) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE found bigint;
BEGIN
  EXECUTE p_statement INTO found;
  RETURN found IS NOT NULL;
END $$;
