-- The page of a search with a term that finds a handful: one patient, an identifier, an id. Such a search is asked most often, and reading
-- and planning a statement of its own took PostgreSQL longer than carrying it out. Here each kind of term is one statement that a
-- connection plans once, whatever the values: the handful is found by its term, every other term leaves out of it what does not match,
-- and the wall is asked of what is left, in the order of the page. NULL: a term or an order that only 2_terms.sql knows.

-- As record_span, of values instead of texts; without a prefix there is nothing to ask.
CREATE OR REPLACE FUNCTION record_span_holds(p_prefix text, p_from timestamptz, p_to timestamptz, p_low timestamptz, p_high timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_prefix
    WHEN 'eq' THEN p_low >= p_from AND p_low < p_to AND p_high <= p_to
    WHEN 'ne' THEN p_low < p_from OR p_high > p_to
    WHEN 'gt' THEN p_high > p_to
    WHEN 'lt' THEN p_low < p_from
    WHEN 'ge' THEN p_high > p_from AND (p_low >= p_from OR p_high > p_to)
    WHEN 'le' THEN p_low < p_to AND (p_high <= p_to OR p_low < p_from)
    WHEN 'sa' THEN p_low >= p_to
    WHEN 'eb' THEN p_high <= p_from
    WHEN 'ap' THEN p_low < p_to AND p_high > p_from
    ELSE p_prefix IS NULL END
$$;

-- As record_amount_bound, of values.
CREATE OR REPLACE FUNCTION record_amount_holds(p_prefix text, p_value float8, p_from float8, p_to float8, p_low float8, p_high float8)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_prefix
    WHEN 'eq' THEN p_low >= p_from AND p_low < p_to AND p_high < p_to
    WHEN 'ne' THEN p_low < p_from OR p_high >= p_to
    WHEN 'gt' THEN p_high > p_value
    WHEN 'lt' THEN p_low < p_value
    WHEN 'ge' THEN p_high >= p_value
    WHEN 'le' THEN p_low <= p_value
    WHEN 'sa' THEN p_low > p_value
    WHEN 'eb' THEN p_high < p_value
    WHEN 'ap' THEN p_low <= p_to AND p_high >= p_from END
$$;

-- The numbers that a term asks for; for patients also those of the same person, which are looked for where records were merged alone.
CREATE OR REPLACE FUNCTION record_values(p_term jsonb) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE found bigint[];
BEGIN
  IF jsonb_array_length(p_term -> 'v') = 1 THEN
    found := ARRAY[(p_term #>> '{v,0}')::bigint];
  ELSE
    found := ARRAY(SELECT v::bigint FROM jsonb_array_elements_text(p_term -> 'v') v);
  END IF;
  IF p_term ? 'patient' AND EXISTS (SELECT 1 FROM record_resource r WHERE r.ref = ANY (found) AND r.type = 'Patient' AND (
      EXISTS (SELECT 1 FROM access_formerresident f WHERE f.former_id = r.resident_id)
      OR EXISTS (SELECT 1 FROM access_formerresident f WHERE f.standing_id = r.resident_id))) THEN
    RETURN record_same_patients(found);
  END IF;
  RETURN found;
END $$;

-- Ids of what a term with the mark `few` finds, with others among them that are of another type, deleted, or not the actor's.
CREATE OR REPLACE FUNCTION record_handful(p_type text, p_term jsonb) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  asked bigint[];
  inner_ids bigint[];
BEGIN
  CASE p_term ->> 'k'
  WHEN 'link' THEN
    asked := record_values(p_term);
    RETURN ARRAY(SELECT l.resource_id FROM record_searchlink l WHERE l.name = (p_term ->> 'n')::bigint AND l.target = ANY (asked));
  WHEN 'key' THEN
    asked := record_values(p_term);
    RETURN ARRAY(SELECT k.resource_id FROM record_searchkey k WHERE k.key = ANY (asked));
  WHEN 'id' THEN
    RETURN ARRAY(SELECT r.id FROM record_resource r WHERE r.type = p_type AND r.fhir_id = ANY (ARRAY(SELECT jsonb_array_elements_text(p_term -> 'v'))));
  WHEN 'chain' THEN
    inner_ids := record_few_ids(p_term ->> 'type', p_term -> 'c');
    asked := ARRAY(SELECT n::bigint FROM jsonb_array_elements_text(p_term -> 'names') n);
    RETURN CASE WHEN inner_ids IS NOT NULL THEN ARRAY(SELECT l.resource_id
      FROM (SELECT x.* FROM record_resource x WHERE x.id = ANY (inner_ids) AND x.type = p_term ->> 'type' AND NOT x.deleted OFFSET 0) x
        JOIN record_searchlink l ON l.name = ANY (asked) AND l.target = x.ref
      WHERE access_is_system() OR record_readable(x.resident_id, x.organization_id, x.episode, x.category, x.sensitive)) END;
  ELSE
    RETURN NULL;
  END CASE;
END $$;

-- Those of p_ids that match a term.
CREATE OR REPLACE FUNCTION record_sieve(p_ids bigint[], p_term jsonb) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  named bigint;
  asked bigint[];
  spans text[];
  bounds timestamptz[];
  prefix text;
  amounts float8[];
  of_unit bigint;
  coded bigint;
  of_system bigint;
  kept bigint[];
  part bigint[];
  one jsonb;
BEGIN
  CASE p_term ->> 'k'
  WHEN 'none' THEN RETURN '{}';
  WHEN 'key' THEN
    asked := record_values(p_term);
    RETURN ARRAY(SELECT r.id FROM record_resource r WHERE r.id = ANY (p_ids) AND r.keys && asked);
  WHEN 'present' THEN
    RETURN ARRAY(SELECT r.id FROM record_resource r WHERE r.id = ANY (p_ids) AND r.present @> ARRAY[(p_term ->> 'v')::integer]);
  WHEN 'id' THEN
    RETURN ARRAY(SELECT r.id FROM record_resource r WHERE r.id = ANY (p_ids) AND p_term -> 'v' ? r.fhir_id);
  WHEN 'link' THEN
    asked := record_values(p_term);
    named := (p_term ->> 'n')::bigint;
    RETURN ARRAY(SELECT l.resource_id FROM record_searchlink l WHERE l.resource_id = ANY (p_ids) AND l.name = named AND l.target = ANY (asked));
  WHEN 'date' THEN
    IF jsonb_array_length(p_term -> 'v') > 2 THEN RETURN NULL; END IF;
    named := (p_term ->> 'n')::bigint;
    spans := ARRAY[p_term #>> '{v,0,0}', p_term #>> '{v,1,0}'];
    bounds := ARRAY[p_term #>> '{v,0,1}', p_term #>> '{v,0,2}', p_term #>> '{v,1,1}', p_term #>> '{v,1,2}'];
    RETURN ARRAY(SELECT d.resource_id FROM record_searchdate d WHERE d.resource_id = ANY (p_ids) AND d.name = named
      AND record_span_holds(spans[1], bounds[1], bounds[2], d.low, d.high) AND record_span_holds(spans[2], bounds[3], bounds[4], d.low, d.high));
  WHEN 'amount' THEN
    named := (p_term ->> 'n')::bigint;
    prefix := p_term #>> '{v,0}';
    amounts := ARRAY[p_term #>> '{v,1}', p_term #>> '{v,2}', p_term #>> '{v,3}'];
    IF p_term ? 'base' THEN
      of_unit := (p_term ->> 'base')::bigint;
      RETURN ARRAY(SELECT a.resource_id FROM record_searchamount a WHERE a.resource_id = ANY (p_ids) AND a.name = named AND a.base = of_unit
        AND record_amount_holds(prefix, amounts[1], amounts[2], amounts[3], a.base_low, a.base_high));
    END IF;
    of_unit := (p_term ->> 'unit')::bigint;
    coded := (p_term ->> 'code')::bigint;
    of_system := (p_term ->> 'system_code')::bigint;
    RETURN ARRAY(SELECT a.resource_id FROM record_searchamount a WHERE a.resource_id = ANY (p_ids) AND a.name = named
      AND CASE WHEN of_system IS NOT NULL THEN a.system_code = of_system WHEN coded IS NOT NULL THEN a.code = coded OR a.unit = of_unit ELSE true END
      AND record_amount_holds(prefix, amounts[1], amounts[2], amounts[3], a.low, a.high));
  WHEN 'not' THEN
    part := record_sieve(p_ids, p_term -> 'c');
    RETURN CASE WHEN part IS NOT NULL THEN ARRAY(SELECT e.id FROM unnest(p_ids) AS e (id) WHERE e.id <> ALL (part)) END;
  WHEN 'and' THEN RETURN record_sieved(p_ids, p_term -> 'c');
  WHEN 'or' THEN
    kept := '{}';
    FOR one IN SELECT t FROM jsonb_array_elements(p_term -> 'c') t LOOP
      part := record_sieve(p_ids, one);
      IF part IS NULL THEN RETURN NULL; END IF;
      kept := kept || part;
    END LOOP;
    RETURN kept;
  ELSE
    RETURN NULL;
  END CASE;
END $$;

-- Those of p_ids that match all of these terms, but p_but.
CREATE OR REPLACE FUNCTION record_sieved(p_ids bigint[], p_terms jsonb, p_but integer DEFAULT -1) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE kept bigint[] := p_ids;
BEGIN
  FOR place IN 0 .. jsonb_array_length(p_terms) - 1 LOOP
    -- Also when nothing is left: a term that this way does not know is one whatever there is.
    IF place <> p_but THEN
      kept := record_sieve(kept, p_terms -> place);
    END IF;
  END LOOP;
  RETURN kept;
END $$;

-- Ids of what matches terms of which one finds a handful.
CREATE OR REPLACE FUNCTION record_few_ids(p_type text, p_terms jsonb) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE found bigint[];
BEGIN
  FOR place IN 0 .. jsonb_array_length(p_terms) - 1 LOOP
    IF (p_terms -> place ->> 'few')::boolean THEN
      found := record_handful(p_type, p_terms -> place);
      RETURN CASE WHEN found IS NOT NULL THEN record_sieved(found, p_terms, place) END;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- Of these ids those whose resident the actor sees whole: an ordinary entry of theirs passes the wall, and record_readable would say the same.
CREATE OR REPLACE FUNCTION record_seen_whole(p_ids bigint[]) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE owners bigint[] := ARRAY(SELECT DISTINCT r.resident_id FROM record_resource r WHERE r.id = ANY (p_ids) AND r.resident_id IS NOT NULL);
BEGIN
  RETURN ARRAY(SELECT DISTINCT c.resident_id FROM access_carerelationship c
    WHERE c.resident_id = ANY (owners) AND c.organization_id = ANY (access_record_reach()) AND c.scope = 'full'
      AND c.opened_at <= statement_timestamp() AND (c.closes_at IS NULL OR c.closes_at > statement_timestamp())
      AND (access_only() IS NULL OR access_only() = c.resident_id));
END $$;

-- The page: as record_page answers; `ids` is NULL where this way does not go, `whole` the residents who are seen whole.
CREATE OR REPLACE FUNCTION record_few_page(p_query jsonb, p_limit integer, OUT ids bigint[], OUT matched integer, OUT last jsonb, OUT whole bigint[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
  sorts integer := coalesce(jsonb_array_length(p_query -> 'sort'), 0);
  by_date bigint := CASE WHEN p_query #>> '{sort,0,by}' = 'date' THEN (p_query #>> '{sort,0,n}')::bigint END;
  descending boolean := coalesce((p_query #>> '{sort,0,desc}')::boolean, true);
  after_id bigint := (p_query #>> '{after,id}')::bigint;
  after_value timestamptz;
  free boolean := access_is_system();
  found bigint[];
  places text[];
BEGIN
  IF sorts > 1 OR (sorts = 1 AND by_date IS NULL) THEN RETURN; END IF;
  found := record_few_ids(p_query ->> 'type', p_query -> 'where');
  IF found IS NULL THEN RETURN; END IF;
  whole := CASE WHEN NOT free THEN record_seen_whole(found) END;
  IF by_date IS NULL THEN
    ids := ARRAY(SELECT c.id FROM (SELECT r.id, r.resident_id, r.organization_id, r.episode, r.category, r.sensitive
        FROM record_resource r WHERE r.id = ANY (found) AND r.type = p_query ->> 'type' AND NOT r.deleted AND (after_id IS NULL OR r.id < after_id)
        ORDER BY r.id DESC OFFSET 0) c
      WHERE free OR CASE WHEN c.resident_id = ANY (whole) AND NOT c.sensitive THEN true
        ELSE record_readable(c.resident_id, c.organization_id, c.episode, c.category, c.sensitive) END
      LIMIT p_limit + 1);
  ELSE
    after_value := (p_query #>> '{after,v,0}')::timestamptz;
    SELECT coalesce(array_agg(p.id), '{}'), array_agg(p.v::text) INTO ids, places FROM (SELECT c.id, c.v
      FROM (SELECT r.id, r.resident_id, r.organization_id, r.episode, r.category, r.sensitive, d.v
          FROM record_resource r, LATERAL (SELECT CASE WHEN descending THEN coalesce(max(s.low), '-infinity') ELSE coalesce(min(s.low), 'infinity') END AS v
            FROM record_searchdate s WHERE s.resource_id = r.id AND s.name = by_date) d
          WHERE r.id = ANY (found) AND r.type = p_query ->> 'type' AND NOT r.deleted
            AND (after_id IS NULL OR CASE WHEN descending THEN (d.v, r.id) < (after_value, after_id) ELSE (d.v, r.id) > (after_value, after_id) END)
          ORDER BY CASE WHEN descending THEN d.v END DESC, CASE WHEN NOT descending THEN d.v END,
            CASE WHEN descending THEN r.id END DESC, CASE WHEN NOT descending THEN r.id END OFFSET 0) c
      WHERE free OR CASE WHEN c.resident_id = ANY (whole) AND NOT c.sensitive THEN true
        ELSE record_readable(c.resident_id, c.organization_id, c.episode, c.category, c.sensitive) END
      LIMIT p_limit + 1) p;
  END IF;
  matched := cardinality(ids);
  IF matched >= p_limit THEN
    last := jsonb_build_object('id', ids[p_limit], 'v', CASE WHEN by_date IS NULL THEN '[]' ELSE jsonb_build_array(places[p_limit]) END, 'phase', 0);
    ids := ids[: p_limit];
  END IF;
END $$;
