-- What those have whom the actor knows: the beginnings of 3_begin.sql that gather ids by resident. $1 in the statements are the residents,
-- or what the function that wrote the statement says.

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

-- The Patient resources of residents; NULL of NULL.
CREATE OR REPLACE FUNCTION record_patients_of(p_residents bigint[]) RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = public AS $$
BEGIN
  RETURN CASE WHEN p_residents IS NOT NULL THEN ARRAY(SELECT i.id FROM unnest(p_residents) AS e (id),
    LATERAL (SELECT i.id FROM record_resource i WHERE i.resident_id = e.id AND i.type = 'Patient' OFFSET 0) i) END;
END $$;

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

-- Ids of what is about these patients, a statement, by a link of a chain.
CREATE OR REPLACE FUNCTION record_about(p_chain jsonb, p_patients text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format('SELECT DISTINCT l.resource_id AS id FROM (SELECT p.ref FROM (%s OFFSET 0) n'
    ' JOIN record_resource p ON p.id = n.id AND p.type = %L OFFSET 0) n'
    ' JOIN record_searchlink l ON l.target = n.ref AND l.name = ANY (%s)', p_patients, 'Patient', record_numbers(p_chain -> 'names'))
$$;


-- The ids in $1, the newest first, as far as indexes can say that these terms match; what stands after the page before when it is known.
CREATE OR REPLACE FUNCTION record_listed(p_query jsonb, p_terms jsonb, p_ids text DEFAULT 'SELECT e.id FROM unnest($1) AS e (id)') RETURNS text
LANGUAGE sql STABLE SET search_path = public AS $$
  SELECT format('SELECT m.id FROM (SELECT DISTINCT e.id FROM (%s) e%s ORDER BY e.id DESC) m WHERE CASE WHEN %s THEN true END', p_ids,
    CASE WHEN p_query ? 'after' AND coalesce(jsonb_array_length(p_query -> 'sort'), 0) = 0
      THEN ' WHERE e.id < ' || (p_query #>> '{after,id}')::bigint ELSE '' END,
    record_by_number(p_terms, 'm'))
$$;

-- Of the newest p_most of a type those of the residents in $1, as far as indexes can say that they match; NULL where another order or a
-- total is asked for. All searches of a type read the same few pages, one after the other, where each resident's own would be elsewhere.
CREATE OR REPLACE FUNCTION record_walked(p_query jsonb, p_most integer) RETURNS text LANGUAGE sql STABLE SET search_path = public AS $$
  SELECT CASE WHEN coalesce(jsonb_array_length(p_query -> 'sort'), 0) = 0 AND NOT p_query ? 'total' THEN
    format('SELECT m.id FROM (SELECT w.id, w.resident_id FROM record_resource w WHERE w.type = %L%s ORDER BY w.id DESC LIMIT %s) m'
      ' WHERE CASE WHEN m.resident_id IS NULL OR m.resident_id IN (SELECT k.id FROM unnest($1) AS k (id)) THEN %s END',
      p_query ->> 'type', coalesce(' AND w.id < ' || (p_query #>> '{after,id}')::bigint, ''), p_most, record_by_number(p_query -> 'where', 'm')) END
$$;

-- The low end of an amount as the index knows it, wider than the condition where that asks for the high end too; NULL without a bound.
CREATE OR REPLACE FUNCTION record_amount_low(p_term jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_term #>> '{v,0}' WHEN 'ne' THEN NULL
    WHEN 'eq' THEN record_amount_bound(jsonb_set(p_term, '{v}', jsonb_build_array('ge', p_term #> '{v,2}')), false)
      || ' AND ' || record_amount_bound(jsonb_set(p_term, '{v}', jsonb_build_array('lt', p_term #> '{v,3}')), false)
    WHEN 'eb' THEN record_amount_bound(jsonb_set(p_term, '{v,0}', '"lt"'), false)
    ELSE record_amount_bound(p_term, false) END
$$;

-- Ids with an amount as p_term asks of residents, and of nobody, from the index by value alone: others' are passed over at a tenth
-- of a microsecond each, in the order in which they lie there. NULL where more than p_most would be passed over, or the index cannot tell.
CREATE OR REPLACE FUNCTION record_known_amounts(p_term jsonb, p_known bigint[], p_most integer) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  bound text := record_amount_low(p_term);
  of_span text := record_amount_bound(p_term, true);
  unit text := record_amount_unit(p_term);
  ids bigint[];
  spans bigint[];
  looked bigint;
BEGIN
  IF bound IS NULL OR NOT (p_term ? 'base' OR unit = '') THEN
    RETURN NULL;
  END IF;
  EXECUTE format('SELECT count(*), array_agg(a.id) FILTER (WHERE a.resident_id IS NULL OR a.resident_id = ANY ($1)) FROM (SELECT a.resource_id AS id,'
    ' a.resident_id FROM record_searchamount a WHERE a.name = %s AND %s%s LIMIT %s) a', (p_term ->> 'n')::bigint, bound, unit, p_most + 1)
    INTO looked, ids USING p_known;
  IF looked > p_most THEN
    RETURN NULL;
  END IF;
  IF of_span IS NOT NULL THEN
    EXECUTE format('SELECT array_agg(a.resource_id) FROM record_searchamount a WHERE a.name = %s AND %s%s', (p_term ->> 'n')::bigint, of_span, unit)
      INTO spans;
  END IF;
  RETURN coalesce(ids, '{}') || coalesce(spans, '{}');
END $$;

-- The residents, of these, with a text as p_term asks, and their resources with it, from the index of texts alone. `residents` holds also
-- the records that are the same person since a merge; NULL when a resource of nobody has such a text. CASE keeps the planner from
-- estimating each of some thousand residents, and from looking for an index by them: that took three times as long as the reading.
CREATE OR REPLACE FUNCTION record_named(p_term jsonb, p_known bigint[], OUT residents bigint[], OUT resources bigint[])
LANGUAGE plpgsql STABLE SET search_path = public AS $$
BEGIN
  EXECUTE format('SELECT array_agg(DISTINCT s.resident_id), array_agg(DISTINCT s.resource_id) FROM record_searchstring s'
    ' WHERE s.name = %s AND %s AND CASE WHEN s.resident_id IS NULL OR s.resident_id = ANY ($1) THEN true END', (p_term ->> 'n')::bigint,
    record_text(p_term ->> 'm', p_term ->> 'v', p_term ->> 'w')) INTO residents, resources USING p_known;
  resources := coalesce(resources, '{}');
  IF array_position(residents, NULL) IS NOT NULL THEN
    residents := NULL;
    RETURN;
  END IF;
  residents := coalesce(residents, '{}') || ARRAY(
    SELECT people.id FROM access_formerresident f
      CROSS JOIN LATERAL (SELECT access_standing(f.former_id) AS id UNION SELECT * FROM access_formers(access_standing(f.former_id))) AS people (id)
     WHERE f.former_id = ANY (residents) OR f.standing_id = ANY (residents));
END $$;

-- The beginning with an amount when the actor knows p_known: all of theirs when few have a value like it; otherwise the newest, and after
-- so many of these resident by resident (rest).
CREATE OR REPLACE FUNCTION record_from_amounts(p_query jsonb, p_term jsonb, p_known bigint[], OUT source text, OUT known bigint[], OUT rest text)
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  -- Resident by resident costs five pages each, wherever they lie; others' values lie 140 on a page, one page after the other.
  c_passed constant integer := coalesce(nullif(current_setting('doorstep.passed', true), '')::integer,
    least(400000, greatest(100000, 200 * cardinality(p_known))));
  c_walk constant integer := 60000;
BEGIN
  known := record_known_amounts(p_term, p_known, c_passed);
  IF known IS NOT NULL THEN
    source := record_listed(p_query, p_query -> 'where');
    RETURN;
  END IF;
  known := p_known;
  rest := record_amounts_of_known(p_term);
  source := record_walked(p_query, c_walk);
  IF source IS NULL THEN
    source := rest;
    rest := NULL;
  END IF;
END $$;

-- The beginning with a chain to patients of a name when the actor knows p_known. A link that says whose a resource is (owner) leads from
-- many of that name to the newest of the type; after so many as are worth it, and from few, what is about them (rest, $1: rest_known).
CREATE OR REPLACE FUNCTION record_from_names(p_query jsonb, p_chain jsonb, p_known bigint[], OUT source text, OUT known bigint[], OUT rest text,
  OUT rest_known bigint[])
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  c_many constant integer := coalesce(nullif(current_setting('doorstep.named', true), '')::integer, 800);
  -- What is about one patient costs as much as so many of the newest.
  c_each constant integer := 60;
BEGIN
  SELECT n.residents, n.resources INTO known, rest_known FROM record_named(p_chain #> '{c,0}', p_known) n;
  rest := record_listed(p_query, p_query -> 'where', record_about(p_chain, 'SELECT e.id FROM unnest($1) AS e (id)'));
  IF p_chain ? 'owner' AND cardinality(known) >= c_many THEN
    source := record_walked(p_query, c_each * cardinality(known));
  END IF;
  IF source IS NULL THEN
    source := rest;
    known := rest_known;
    rest := NULL;
  END IF;
END $$;
