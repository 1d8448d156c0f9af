-- The record of one resident as a page reads it. These functions run with the owner's eyes, so that indexes come before the wall,
-- and ask the wall themselves: once, whether the whole record is open to the actor; where it is not, and of every sensitive
-- entry, entry by entry.

-- What a line of a page says of an entry: without attachments, narrative, and references that no line shows.
CREATE OR REPLACE FUNCTION record_line(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT content - '{meta,text,identifier,subject,patient,encounter,context,category,basedOn,result,resultsInterpreter,presentedForm,participant,recorder,asserter,requester,author,location,serviceProvider,contained,media,section,content,sourceAttachment,term,legal,signer,provision,activity}'::text[]
$$;

-- The first code of a diagnosis or a reason, of a medicine, of anything else.
CREATE OR REPLACE FUNCTION record_code(type text, content jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN type IN ('MedicationRequest', 'MedicationStatement', 'MedicationDispense', 'MedicationAdministration')
      THEN content #>> '{medicationCodeableConcept,coding,0,code}'
    WHEN type = 'Encounter' THEN content #>> '{reasonCode,0,coding,0,code}'
    ELSE content #>> '{code,coding,0,code}' END
$$;

-- p_ask: types and not_types (arrays), unit, since, until, before {at, id}, limit; of a disease: stems (first three characters of
-- diagnoses and medicines) and keys (numbers of search tokens); series (numbers of Observation codes whose newest values
-- are wanted), points (how many of each).
-- Answers {wide, unveiled, rows, entries, told: {problems, medicines, values, kinds, units, first, veiled_kinds}}; nothing of a
-- resident whom the actor may not see. Of veiled entries only their types are counted, and that only for who sees the whole record.
-- An entry stands once, in `rows`, however often it is named: [id, type, fhir_id, occurred_at, organization_id, episode, category,
-- sensitive, content]; everything else names ids. The answer is text that is put together once: every step of jsonb would write
-- all entries anew.
CREATE OR REPLACE FUNCTION record_chart(p_resident bigint, p_ask jsonb) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  wide boolean := access_may_read(p_resident, NULL, '', '', false);
  page bigint[];
  named bigint[] := '{}';
  told text := '{}';
  rows text;
BEGIN
  IF NOT wide AND NOT access_may_see(p_resident) THEN RETURN NULL; END IF;
  page := record_chart_page(p_resident, p_ask, wide);
  IF p_ask ? 'series' THEN
    SELECT s.told, s.named INTO told, named FROM record_chart_told(p_resident, wide,
      ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_ask -> 'series') e), (p_ask ->> 'points')::int) s;
  END IF;
  SELECT json_agg(json_build_array(r.id, r.type, r.fhir_id, r.occurred_at, r.organization_id, r.episode, r.category, r.sensitive,
      record_line(r.content))) INTO rows
    FROM record_resource r WHERE r.id = ANY (page || named);
  RETURN concat('{"wide":', to_json(wide), ',"unveiled":', coalesce(to_json(access_unveiled(p_resident))::text, 'null'),
    ',"rows":', coalesce(rows, '[]'), ',"entries":', to_json(page), ',"told":', told, '}');
END $$;

-- The ids of a page of entries, newest first.
CREATE OR REPLACE FUNCTION record_chart_page(p_resident bigint, p_ask jsonb, p_wide boolean) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  types text[] := ARRAY(SELECT jsonb_array_elements_text(p_ask -> 'types'));
  not_types text[] := ARRAY(SELECT jsonb_array_elements_text(p_ask -> 'not_types'));
  stems text[] := ARRAY(SELECT jsonb_array_elements_text(p_ask -> 'stems'));
  wanted bigint[] := ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_ask -> 'keys') e);
  of_disease boolean := p_ask ? 'stems';
  before_at timestamptz := coalesce((p_ask #>> '{before,at}')::timestamptz, 'infinity');
  before_id bigint := coalesce((p_ask #>> '{before,id}')::bigint, 0);
  since timestamptz := coalesce((p_ask ->> 'since')::timestamptz, '-infinity');
  until timestamptz := coalesce((p_ask ->> 'until')::timestamptz, 'infinity');
BEGIN
  RETURN ARRAY(SELECT r.id
    FROM record_resource r
    WHERE r.resident_id = p_resident AND NOT r.deleted
      AND (r.occurred_at, r.id) < (before_at, before_id) AND r.occurred_at >= since AND r.occurred_at < until
      AND (p_ask -> 'types' IS NULL OR r.type = ANY (types)) AND r.type <> ALL (not_types)
      AND (p_ask ->> 'unit' IS NULL OR r.organization_id = (p_ask ->> 'unit')::bigint)
      AND (NOT of_disease OR r.keys && wanted OR (r.type IN ('Condition', 'Encounter', 'MedicationRequest', 'MedicationStatement',
          'MedicationDispense', 'CarePlan') AND left(record_code(r.type, r.content), 3) = ANY (stems)))
      AND ((p_wide AND NOT r.sensitive) OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive))
    ORDER BY r.occurred_at DESC, r.id DESC LIMIT (p_ask ->> 'limit')::int);
END $$;

-- Problems, medicines, the newest values of each code (its number: ids, newest first), how many entries of which kind and unit, and
-- what is veiled: one pass over the resident's rows. `named` are all ids that it names.
CREATE OR REPLACE FUNCTION record_chart_told(p_resident bigint, p_wide boolean, p_keys bigint[], p_points integer,
  OUT told text, OUT named bigint[])
LANGUAGE plpgsql STABLE SET search_path = public AS $$
BEGIN
  WITH mine AS MATERIALIZED (
    SELECT r.id, r.type, r.occurred_at, r.organization_id, r.sensitive, CASE r.type WHEN 'Observation' THEN r.keys END AS keys,
      (p_wide AND NOT r.sensitive)
        OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive) AS open
    FROM record_resource r WHERE r.resident_id = p_resident AND NOT r.deleted),
  -- A row that merely keeps an id, a cover or a list is not an event of a life: no line of the timeline shows it, no filter counts it.
  seen AS (SELECT * FROM mine WHERE open AND type NOT IN ('Patient', 'Provenance', 'Binary', 'Coverage', 'Flag', 'List', 'RelatedPerson')),
  listed AS (SELECT id, type, occurred_at FROM seen WHERE type IN ('Condition', 'MedicationStatement', 'MedicationRequest')
    ORDER BY occurred_at DESC, id DESC LIMIT 300),
  -- Joined, not compared: the codes that are asked for are looked up in a hash instead of read through for each key.
  of_code AS (SELECT s.id, s.occurred_at, min(k) AS code
    FROM seen s CROSS JOIN unnest(s.keys) k JOIN unnest(p_keys) wanted ON wanted = k GROUP BY s.id, s.occurred_at),
  placed AS (SELECT id, code, row_number() OVER (PARTITION BY code ORDER BY occurred_at DESC, id DESC) AS place FROM of_code),
  newest AS (SELECT code, array_agg(id ORDER BY place) AS ids FROM placed WHERE place <= p_points GROUP BY code)
  SELECT json_build_object(
      'problems', ARRAY(SELECT id FROM listed WHERE type = 'Condition' ORDER BY occurred_at DESC, id DESC),
      'medicines', ARRAY(SELECT id FROM listed WHERE type <> 'Condition' ORDER BY occurred_at DESC, id DESC),
      'values', (SELECT coalesce(json_object_agg(code, ids), '{}') FROM newest),
      'kinds', (SELECT coalesce(json_object_agg(type, n), '{}') FROM (SELECT type, count(*) AS n FROM seen GROUP BY type) k),
      'units', (SELECT coalesce(json_object_agg(organization_id, n), '{}')
        FROM (SELECT organization_id, count(*) AS n FROM seen WHERE organization_id IS NOT NULL GROUP BY organization_id) u),
      'first', (SELECT min(occurred_at) FROM seen),
      'veiled_kinds', (SELECT coalesce(json_object_agg(type, n), '{}')
        FROM (SELECT type, count(*) AS n FROM mine WHERE sensitive AND NOT open AND p_wide GROUP BY type) v)),
    ARRAY(SELECT id FROM listed) || ARRAY(SELECT unnest(ids) FROM newest)
  INTO told, named;
END $$;

-- The values of these codes since a moment, newest first, each code bounded: what a page of trends draws.
CREATE OR REPLACE FUNCTION record_series(p_resident bigint, p_keys bigint[], p_since timestamptz, p_points integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  wide boolean := access_may_read(p_resident, NULL, '', '', false);
  found jsonb;
BEGIN
  IF NOT wide AND NOT access_may_see(p_resident) THEN RETURN '[]'; END IF;
  WITH of_code AS (
    SELECT r.id, r.occurred_at, (SELECT k FROM unnest(r.keys) k WHERE k = ANY (p_keys) LIMIT 1) AS code
    FROM record_resource r
    WHERE r.resident_id = p_resident AND r.type = 'Observation' AND NOT r.deleted AND r.occurred_at >= p_since AND r.keys && p_keys
      AND ((wide AND NOT r.sensitive) OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive))),
  placed AS (SELECT *, row_number() OVER (PARTITION BY code ORDER BY occurred_at DESC, id DESC) AS place FROM of_code)
  SELECT jsonb_agg(jsonb_build_object('id', r.id, 'type', r.type, 'fhir_id', r.fhir_id, 'occurred_at', r.occurred_at,
      'organization_id', r.organization_id, 'episode', r.episode, 'category', r.category, 'sensitive', r.sensitive,
      'content', r.content) ORDER BY r.occurred_at DESC, r.id DESC) INTO found
    FROM placed p JOIN record_resource r ON r.id = p.id WHERE p.place <= p_points;
  RETURN coalesce(found, '[]');
END $$;
