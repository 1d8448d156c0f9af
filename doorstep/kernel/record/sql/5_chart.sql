-- The record of one resident as a page reads it. These functions run with the owner's eyes, so that indexes come before the wall,
-- and ask the wall themselves: once, whether the whole record is open to the actor; where it is not, and of every sensitive
-- entry, entry by entry.

-- An entry without the bytes of its attachments: a page of fifty lines does not carry fifty scans.
CREATE OR REPLACE FUNCTION record_slim(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE content ->> 'resourceType' WHEN 'DocumentReference' THEN content #- '{content,0,attachment,data}'
    WHEN 'DiagnosticReport' THEN content #- '{presentedForm,0,data}'
    WHEN 'Media' THEN content #- '{content,data}'
    WHEN 'Consent' THEN content #- '{sourceAttachment,data}'
    WHEN 'Contract' THEN content #- '{legal,0,contentAttachment,data}'
    ELSE content END
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
-- Answers {wide, unveiled, entries, problems, medicines, kinds, units, first, veiled, veiled_kinds, values}; nothing of a resident
-- whom the actor may not see. Of veiled entries only their types are counted, and that only for who sees the whole record.
CREATE OR REPLACE FUNCTION record_chart(p_resident bigint, p_ask jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  wide boolean := access_may_read(p_resident, NULL, '', '', false);
  answer jsonb;
BEGIN
  IF NOT wide AND NOT access_may_see(p_resident) THEN RETURN NULL; END IF;
  answer := jsonb_build_object('wide', wide, 'unveiled', access_unveiled(p_resident));
  answer := answer || jsonb_build_object('entries', record_chart_entries(p_resident, p_ask, wide));
  IF p_ask ? 'series' THEN
    answer := answer || record_chart_summary(p_resident, wide) || jsonb_build_object('values',
      record_chart_values(p_resident, wide, ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_ask -> 'series') e),
        (p_ask ->> 'points')::int));
  END IF;
  RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION record_chart_entries(p_resident bigint, p_ask jsonb, p_wide boolean) RETURNS jsonb
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
  found jsonb;
BEGIN
  SELECT jsonb_agg(to_jsonb(page) ORDER BY page.occurred_at DESC, page.id DESC) INTO found FROM (
    SELECT r.id, r.type, r.fhir_id, r.occurred_at, r.organization_id, r.episode, r.category, r.sensitive,
      record_slim(r.content) AS content
    FROM record_resource r
    WHERE r.resident_id = p_resident AND NOT r.deleted
      AND (r.occurred_at, r.id) < (before_at, before_id) AND r.occurred_at >= since AND r.occurred_at < until
      AND (p_ask -> 'types' IS NULL OR r.type = ANY (types)) AND r.type <> ALL (not_types)
      AND (p_ask ->> 'unit' IS NULL OR r.organization_id = (p_ask ->> 'unit')::bigint)
      AND (NOT of_disease OR r.keys && wanted OR (r.type IN ('Condition', 'Encounter', 'MedicationRequest', 'MedicationStatement',
          'MedicationDispense', 'CarePlan') AND left(record_code(r.type, r.content), 3) = ANY (stems)))
      AND ((p_wide AND NOT r.sensitive) OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive))
    ORDER BY r.occurred_at DESC, r.id DESC LIMIT (p_ask ->> 'limit')::int) page;
  RETURN coalesce(found, '[]');
END $$;

-- Problems, medicines, how many entries of which kind and unit, and what is veiled: one pass over the resident's rows.
CREATE OR REPLACE FUNCTION record_chart_summary(p_resident bigint, p_wide boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE found jsonb;
BEGIN
  WITH mine AS MATERIALIZED (
    SELECT r.id, r.type, r.occurred_at, r.organization_id, r.sensitive,
      (p_wide AND NOT r.sensitive)
        OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive) AS open
    FROM record_resource r WHERE r.resident_id = p_resident AND NOT r.deleted),
  -- A row that merely keeps an id is not an event of a life.
  told AS (SELECT * FROM mine WHERE open AND type NOT IN ('Patient', 'Provenance', 'Binary')),
  listed AS (
    SELECT t.type, to_jsonb(line) AS line, t.occurred_at FROM told t JOIN record_resource r ON r.id = t.id
    CROSS JOIN LATERAL (SELECT r.id, r.type, r.fhir_id, r.occurred_at, r.organization_id, r.episode, r.category, r.sensitive,
      record_slim(r.content) AS content) line
    WHERE t.type IN ('Condition', 'MedicationStatement', 'MedicationRequest') ORDER BY t.occurred_at DESC LIMIT 300)
  SELECT jsonb_build_object(
    'problems', (SELECT coalesce(jsonb_agg(line ORDER BY occurred_at DESC) FILTER (WHERE type = 'Condition'), '[]') FROM listed),
    'medicines', (SELECT coalesce(jsonb_agg(line ORDER BY occurred_at DESC) FILTER (WHERE type <> 'Condition'), '[]') FROM listed),
    'kinds', (SELECT coalesce(jsonb_object_agg(type, n), '{}') FROM (SELECT type, count(*) AS n FROM told GROUP BY type) k),
    'units', (SELECT coalesce(jsonb_object_agg(organization_id, n), '{}')
      FROM (SELECT organization_id, count(*) AS n FROM told WHERE organization_id IS NOT NULL GROUP BY organization_id) u),
    'first', (SELECT min(occurred_at) FROM told),
    'veiled', (SELECT count(*) FROM mine WHERE sensitive AND NOT open AND p_wide),
    'veiled_kinds', (SELECT coalesce(jsonb_object_agg(type, n), '{}')
      FROM (SELECT type, count(*) AS n FROM mine WHERE sensitive AND NOT open AND p_wide GROUP BY type) v))
  INTO found;
  RETURN found;
END $$;

-- The newest values of each code: {number of the code: [entry, …]}, newest first.
CREATE OR REPLACE FUNCTION record_chart_values(p_resident bigint, p_wide boolean, p_keys bigint[], p_points integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE found jsonb;
BEGIN
  WITH of_code AS (
    SELECT r.id, r.occurred_at, (SELECT k FROM unnest(r.keys) k WHERE k = ANY (p_keys) LIMIT 1) AS code
    FROM record_resource r
    WHERE r.resident_id = p_resident AND r.type = 'Observation' AND NOT r.deleted AND r.keys && p_keys
      AND ((p_wide AND NOT r.sensitive) OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive))),
  placed AS (SELECT *, row_number() OVER (PARTITION BY code ORDER BY occurred_at DESC, id DESC) AS place FROM of_code),
  newest AS (
    SELECT p.code, p.place, jsonb_build_object('id', r.id, 'type', r.type, 'fhir_id', r.fhir_id, 'occurred_at', r.occurred_at,
      'organization_id', r.organization_id, 'episode', r.episode, 'category', r.category, 'sensitive', r.sensitive,
      'content', r.content) AS line
    FROM placed p JOIN record_resource r ON r.id = p.id WHERE p.place <= p_points)
  SELECT jsonb_object_agg(code, lines) INTO found
    FROM (SELECT code, jsonb_agg(line ORDER BY place) AS lines FROM newest GROUP BY code) grouped;
  RETURN coalesce(found, '{}');
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
