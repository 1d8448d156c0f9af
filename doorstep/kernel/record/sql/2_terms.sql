-- Searches run with the owner's eyes, so that indexes come before the wall, and ask the wall of everything they look at:
-- matches, the ends of chains, includes, totals. They take terms as JSON, never SQL; numbers are cast and texts quoted here.

CREATE OR REPLACE FUNCTION record_readable(resident bigint, writer bigint, episode text, category text, is_sensitive boolean)
RETURNS boolean LANGUAGE plpgsql STABLE COST 500 AS $$
BEGIN
  IF resident IS NULL THEN
    RETURN record_open(writer, is_sensitive);
  END IF;
  RETURN access_may_read(resident, writer, episode, category, is_sensitive);
END $$;

-- The wall as conditions on a row whose alias format() puts in: `near` passes over residents of whom the actor may see nothing, by
-- their number alone, and `exact` is the wall itself. Where an ordinary entry of a resident who is seen whole is met, record_readable
-- would say the same and is not asked. `whole` and `known`, whole and partly together: see access_sight. For a handful of rows (p_few)
-- it is cheaper to ask of each.
DROP FUNCTION IF EXISTS record_wall(text);
DROP FUNCTION IF EXISTS record_wall(boolean);
CREATE OR REPLACE FUNCTION record_wall(p_few boolean, OUT near text, OUT exact text, OUT whole bigint[], OUT known bigint[])
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  partly bigint[];
  readable constant text := 'record_readable(%1$s.resident_id, %1$s.organization_id, %1$s.episode, %1$s.category, %1$s.sensitive)';
  of_unit constant text := 'EXISTS (SELECT 1 FROM access_carerelationship w WHERE w.resident_id = %%1$s.resident_id AND w.organization_id = ANY (%L::bigint[])';
BEGIN
  near := 'true';
  exact := 'true';
  IF access_is_system() THEN RETURN; END IF;
  exact := readable;
  IF p_few THEN RETURN; END IF;
  IF access_only() IS NOT NULL THEN
    known := ARRAY[access_only()];
    near := format('(%%1$s.resident_id = %s OR %%1$s.resident_id IS NULL)', access_only());
    RETURN;
  END IF;
  SELECT s.whole, s.partly INTO whole, partly FROM access_sight(500) s;
  known := whole || partly;
  IF whole IS NOT NULL THEN
    near := format('(%%1$s.resident_id = ANY (%L::bigint[]) OR %%1$s.resident_id IS NULL)', known);
    exact := format('CASE WHEN %%1$s.resident_id = ANY (%L::bigint[]) AND NOT %%1$s.sensitive THEN true ELSE ', whole) || readable || ' END';
  ELSE
    near := format('(' || of_unit || ' OFFSET 0) OR %%1$s.resident_id IS NULL OR %%1$s.resident_id = ANY (%L::bigint[])'
      ' OR %%1$s.resident_id IN (SELECT f.former_id FROM access_formerresident f))', access_record_reach(), access_self());
    exact := format('CASE WHEN NOT %%1$s.sensitive AND ' || of_unit || ' AND w.scope = %L AND w.opened_at <= statement_timestamp()'
      ' AND (w.closes_at IS NULL OR w.closes_at > statement_timestamp()) OFFSET 0) THEN true ELSE ', access_record_reach(), 'full') || readable || ' END';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION record_numbers(p_values jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT quote_literal(array(SELECT (v #>> '{}')::bigint FROM jsonb_array_elements(p_values) v)::text) || '::bigint[]'
$$;

-- The same targets, and for patients also those of the records that are the same person since a merge: what was written
-- about the former record is found under the one that stands, and the other way round.
CREATE OR REPLACE FUNCTION record_same_patients(p_targets bigint[]) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT p_targets || ARRAY(
    SELECT same.ref FROM record_resource asked
      CROSS JOIN LATERAL access_standing(asked.resident_id) AS standing (id)
      CROSS JOIN LATERAL (SELECT standing.id UNION SELECT * FROM access_formers(standing.id)) AS people (id)
      JOIN record_resource same ON same.type = 'Patient' AND same.resident_id = people.id AND same.id <> asked.id
     WHERE asked.ref = ANY (p_targets) AND asked.type = 'Patient')
$$;

-- All terms of a list joined by AND or OR, as a condition on the resource with this alias; p_wall: record_wall as one condition;
-- p_by_row: the rows are chosen already, so that each is looked at by itself (OFFSET 0 keeps the planner from anything else).
DROP FUNCTION IF EXISTS record_conditions(jsonb, text, text);
DROP FUNCTION IF EXISTS record_conditions(jsonb, text, text, text);
DROP FUNCTION IF EXISTS record_condition(jsonb, text, boolean);
CREATE OR REPLACE FUNCTION record_conditions(p_terms jsonb, p_alias text, p_joint text DEFAULT ' AND ', p_wall text DEFAULT NULL,
  p_by_row boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  found text;
  -- Where one term finds a handful (a patient, an identifier), the others are read from the row instead of their index; and so are
  -- codes that many carry (a status) beside anything else.
  few boolean := p_by_row OR (p_joint = ' AND ' AND record_is_few(p_terms));
  narrow boolean := p_joint = ' AND ' AND jsonb_path_exists(p_terms, '$[*] ? (!(@.broad == true) && @.k != "not" && @.k != "present")');
BEGIN
  SELECT string_agg('(' || CASE WHEN few AND NOT t ? 'few' AND starts_with(one, 'EXISTS (') THEN left(one, -1) || ' OFFSET 0)' ELSE one END || ')', p_joint)
    INTO found FROM jsonb_array_elements(p_terms) t,
      LATERAL (SELECT record_condition(t, p_alias, few OR (narrow AND t ? 'broad'), p_wall) AS one OFFSET 0) c;
  RETURN coalesce(found, CASE p_joint WHEN ' AND ' THEN 'true' ELSE 'false' END);
END $$;

CREATE OR REPLACE FUNCTION record_is_few(p_terms jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_path_exists(p_terms, '$[*] ? (@.few == true)')
$$;

CREATE OR REPLACE FUNCTION record_condition(p_term jsonb, p_alias text, p_few boolean, p_wall text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  inner_alias text := p_alias || 'x';
  name text := (p_term ->> 'n')::bigint::text;
  targets bigint[];
BEGIN
  CASE p_term ->> 'k'
  WHEN 'and' THEN RETURN record_conditions(p_term -> 'c', p_alias, ' AND ', p_wall, p_few AND NOT p_term ? 'few');
  WHEN 'or' THEN RETURN record_conditions(p_term -> 'c', p_alias, ' OR ', p_wall, p_few AND NOT p_term ? 'few');
  WHEN 'not' THEN RETURN 'NOT (' || record_condition(p_term -> 'c', p_alias, true, p_wall) || ')';
  WHEN 'none' THEN RETURN 'false';
  WHEN 'key' THEN
    IF p_few AND NOT coalesce((p_term ->> 'few')::boolean, false) THEN
      RETURN format('%s.keys && %s', p_alias, record_numbers(p_term -> 'v'));
    END IF;
    RETURN format('EXISTS (SELECT 1 FROM record_searchkey k WHERE k.resource_id = %s.id AND k.key = %s)', p_alias,
      CASE jsonb_array_length(p_term -> 'v') WHEN 1 THEN (p_term #>> '{v,0}')::bigint::text
        ELSE format('ANY (%s)', record_numbers(p_term -> 'v')) END);
  WHEN 'word' THEN
    RETURN format('EXISTS (SELECT 1 FROM record_searchkey k WHERE k.resource_id = %s.id AND k.key IN (SELECT w.key'
      ' FROM record_searchword w WHERE w.name = %s AND (starts_with(w.norm, %L) OR position(%L IN w.norm) > 0)))',
      p_alias, name, p_term ->> 'v', ' ' || (p_term ->> 'v'));
  WHEN 'present' THEN RETURN format('%s.present @> ARRAY[%s]', p_alias, (p_term ->> 'v')::integer);
  WHEN 'link' THEN
    targets := array(SELECT (v #>> '{}')::bigint FROM jsonb_array_elements(p_term -> 'v') v);
    IF (p_term ->> 'patient')::boolean THEN targets := record_same_patients(targets); END IF;
    RETURN format('EXISTS (SELECT 1 FROM record_searchlink l WHERE l.resource_id = %s.id AND l.name = %s AND l.target = %s)',
      p_alias, name, CASE cardinality(targets) WHEN 1 THEN targets[1]::text ELSE format('ANY (%L::bigint[])', targets) END);
  WHEN 'date' THEN
    RETURN format('EXISTS (SELECT 1 FROM record_searchdate d WHERE d.resource_id = %s.id AND d.name = %s AND %s)', p_alias, name,
      (SELECT string_agg('(' || record_span(o, 'd.low', 'd.high', 'timestamptz') || ')', ' AND ')
         FROM jsonb_array_elements(p_term -> 'v') o));
  WHEN 'amount' THEN RETURN record_amount(p_term, p_alias);
  WHEN 'string' THEN
    RETURN format('EXISTS (SELECT 1 FROM record_searchstring s WHERE s.resource_id = %s.id AND s.name = %s AND %s)', p_alias, name,
      record_text(p_term ->> 'm', p_term ->> 'v', p_term ->> 'w'));
  WHEN 'id' THEN
    RETURN format('%s.fhir_id = ANY (%L::text[])', p_alias, array(SELECT jsonb_array_elements_text(p_term -> 'v')));
  WHEN 'updated' THEN
    RETURN (SELECT string_agg('(' || record_span(o, p_alias || '.updated_at', p_alias || '.updated_at', 'timestamptz') || ')', ' AND ')
              FROM jsonb_array_elements(p_term -> 'v') o);
  WHEN 'chain' THEN
    RETURN format('EXISTS (SELECT 1 FROM record_searchlink l JOIN record_resource %1$s ON %1$s.ref = l.target'
      ' WHERE l.resource_id = %2$s.id AND l.name = ANY (%3$s) AND %1$s.type = %4$L AND NOT %1$s.deleted AND %5$s AND %6$s)',
      inner_alias, p_alias, record_numbers(p_term -> 'names'), p_term ->> 'type',
      record_conditions(p_term -> 'c', inner_alias, ' AND ', p_wall, p_few AND NOT p_term ? 'few'),
      format(coalesce(p_wall, (SELECT w.near || ' AND ' || w.exact FROM record_wall(false) w)), inner_alias));
  WHEN 'has' THEN
    RETURN format('EXISTS (SELECT 1 FROM record_searchlink l JOIN record_resource %1$s ON %1$s.id = l.resource_id'
      ' WHERE l.target = %2$s.ref AND l.name = ANY (%3$s) AND %1$s.type = %4$L AND NOT %1$s.deleted AND %5$s AND %6$s)',
      inner_alias, p_alias, record_numbers(p_term -> 'names'), p_term ->> 'type',
      record_conditions(p_term -> 'c', inner_alias, ' AND ', p_wall, p_few AND NOT p_term ? 'few'),
      format(coalesce(p_wall, (SELECT w.near || ' AND ' || w.exact FROM record_wall(false) w)), inner_alias));
  WHEN 'near' THEN
    RETURN format('EXISTS (SELECT 1 FROM record_searchamount a WHERE a.resource_id = %s.id AND a.name = %s'
      ' AND record_metres(a.low, a.high, %s, %s) <= %s)', p_alias, name,
      (p_term ->> 'lat')::float8, (p_term ->> 'lon')::float8, (p_term ->> 'm')::float8);
  END CASE;
END $$;

-- A span against a span (hl7.org/fhir/R4/search.html#prefix): p_value is [prefix, from, to], the value asked for, half open.
CREATE OR REPLACE FUNCTION record_span(p_value jsonb, p_low text, p_high text, p_type text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT format(CASE p_value ->> 0
    WHEN 'eq' THEN CASE WHEN p_low = p_high THEN '%1$s >= %3$L::%5$I AND %1$s < %4$L::%5$I'
                        ELSE '%1$s >= %3$L::%5$I AND %1$s < %4$L::%5$I AND %2$s <= %4$L::%5$I' END
    WHEN 'ne' THEN CASE WHEN p_low = p_high THEN '%1$s < %3$L::%5$I OR %1$s >= %4$L::%5$I'
                        ELSE '%1$s < %3$L::%5$I OR %2$s > %4$L::%5$I' END
    WHEN 'gt' THEN CASE WHEN p_low = p_high THEN '%2$s >= %4$L::%5$I' ELSE '%2$s > %4$L::%5$I' END
    WHEN 'lt' THEN '%1$s < %3$L::%5$I'
    WHEN 'ge' THEN CASE WHEN p_low = p_high THEN '%1$s >= %3$L::%5$I'
                        ELSE '%2$s > %3$L::%5$I AND (%1$s >= %3$L::%5$I OR %2$s > %4$L::%5$I)' END
    WHEN 'le' THEN CASE WHEN p_low = p_high THEN '%1$s < %4$L::%5$I'
                        ELSE '%1$s < %4$L::%5$I AND (%2$s <= %4$L::%5$I OR %1$s < %3$L::%5$I)' END
    WHEN 'sa' THEN '%1$s >= %4$L::%5$I'
    WHEN 'eb' THEN CASE WHEN p_low = p_high THEN '%2$s < %3$L::%5$I' ELSE '%2$s <= %3$L::%5$I' END
    WHEN 'ap' THEN CASE WHEN p_low = p_high THEN '%1$s < %4$L::%5$I AND %2$s >= %3$L::%5$I'
                        ELSE '%1$s < %4$L::%5$I AND %2$s > %3$L::%5$I' END
    END, p_low, p_high, p_value ->> 1, p_value ->> 2, p_type)
$$;

-- A quantity: [prefix, value, from, to], where from and to are what the precision of the value leaves open. Of most amounts the low and
-- the high end are the same: an index by the low end finds them whatever is asked, and one of its own those that are spans.
CREATE OR REPLACE FUNCTION record_amount(p_term jsonb, p_alias text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  of_span text := record_amount_bound(p_term, true);
BEGIN
  RETURN format('EXISTS (SELECT 1 FROM record_searchamount a WHERE a.resource_id = %s.id AND a.name = %s AND %s%s)', p_alias,
    (p_term ->> 'n')::bigint, CASE WHEN of_span IS NULL THEN record_amount_bound(p_term, false)
      ELSE '(' || record_amount_bound(p_term, false) || ' OR ' || of_span || ')' END, record_amount_unit(p_term));
END $$;

-- The condition on an amount, of those that are a span when p_span; NULL for spans where the other condition says all.
CREATE OR REPLACE FUNCTION record_amount_bound(p_term jsonb, p_span boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format(CASE WHEN p_span THEN
    CASE p_term #>> '{v,0}' WHEN 'gt' THEN '(%2$s > %1$s AND %2$s > %3$L)' WHEN 'ge' THEN '(%2$s > %1$s AND %2$s >= %3$L)'
      WHEN 'ap' THEN '(%2$s > %1$s AND %2$s >= %4$L AND %1$s <= %5$L)' END
    ELSE CASE p_term #>> '{v,0}'
      WHEN 'eq' THEN '%1$s >= %4$L AND %1$s < %5$L AND %2$s < %5$L'
      WHEN 'ne' THEN '(%1$s < %4$L OR %2$s >= %5$L)'
      WHEN 'gt' THEN '%1$s > %3$L'
      WHEN 'lt' THEN '%1$s < %3$L'
      WHEN 'ge' THEN '%1$s >= %3$L'
      WHEN 'le' THEN '%1$s <= %3$L'
      WHEN 'sa' THEN '%1$s > %3$L'
      WHEN 'eb' THEN '%1$s < %3$L AND %2$s < %3$L'
      WHEN 'ap' THEN '%1$s <= %5$L AND %1$s >= %4$L' END END,
    CASE WHEN p_term ? 'base' THEN 'a.base_low' ELSE 'a.low' END, CASE WHEN p_term ? 'base' THEN 'a.base_high' ELSE 'a.high' END,
    (p_term #>> '{v,1}')::float8, (p_term #>> '{v,2}')::float8, (p_term #>> '{v,3}')::float8)
$$;

CREATE OR REPLACE FUNCTION record_amount_unit(p_term jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_term ? 'base' THEN format(' AND a.base = %s', (p_term ->> 'base')::bigint)
    WHEN p_term ? 'system_code' THEN format(' AND a.system_code = %s', (p_term ->> 'system_code')::bigint)
    WHEN p_term ? 'code' THEN format(' AND (a.code = %s OR a.unit = %s)', (p_term ->> 'code')::bigint, (p_term ->> 'unit')::bigint)
    ELSE '' END
$$;

-- Texts: begins with, contains, is exactly; addresses: is, is below (begins with), is above (one of these).
CREATE OR REPLACE FUNCTION record_text(p_mode text, p_text text, p_exact text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_mode
    WHEN 'prefix' THEN format('s.norm >= %L AND s.norm < %L', p_text, p_text || chr(1114111))
    WHEN 'contains' THEN format('position(%L IN s.norm) > 0', p_text)
    WHEN 'exact' THEN format('s.norm = %L AND s.text = %L', p_text, p_exact)
    WHEN 'equal' THEN format('s.norm = %L', p_text)
    WHEN 'above' THEN format('starts_with(%L, s.norm) AND s.norm <> %L', p_text, '') END
$$;

-- Metres between two places on the sphere.
CREATE OR REPLACE FUNCTION record_metres(lat1 float8, lon1 float8, lat2 float8, lon2 float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT 2 * 6371008.8 * asin(sqrt(least(1, sind((lat2 - lat1) / 2) ^ 2 + cosd(lat1) * cosd(lat2) * sind((lon2 - lon1) / 2) ^ 2)))
$$;
