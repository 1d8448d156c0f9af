-- Puts new residents into the index for a unit of the actor: rows, numbers, groups and panel in one statement.
-- The caller cannot read what it writes before a relationship is there, so the owner writes it. A person who stands at
-- the desk (p_present) gives the unit a proof of presence; a list that a unit brings in gives it, for people whom nobody
-- knew before, a relationship of a year with the reason "source". A number that is taken raises unique_violation.
CREATE OR REPLACE FUNCTION residents_admit(p_organization bigint, p_consortium bigint, p_rows jsonb, p_present boolean)
RETURNS TABLE (admitted_key uuid, admitted_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NOT (access_is_system() OR (access_user() IS NOT NULL AND p_organization = ANY (access_reach()))) THEN
    RAISE EXCEPTION 'registration refused' USING ERRCODE = '42501';
  END IF;
  RETURN QUERY
  WITH incoming AS (
    SELECT * FROM jsonb_to_recordset(p_rows) AS given (key uuid, name text, pinyin text, initials text, gender text,
      birth_date date, national_id text, document_kind text, document_number text, document_country text, record_number text, phone text, address text, household_id bigint,
      relation text, grid text, number_index uuid, phone_index uuid, proof_index uuid, child_index uuid, groups jsonb)),
  made AS (
    INSERT INTO residents_resident (key, consortium_id, name, name_pinyin, name_initials, gender, birth_date,
      national_id, document_kind, document_number, document_country, record_number, phone, address, household_id,
      relation_to_head, grid_code, organization_id, created_at)
    SELECT i.key, p_consortium, i.name, i.pinyin, i.initials, i.gender, i.birth_date, decode(i.national_id, 'base64'),
      i.document_kind, decode(i.document_number, 'base64'), i.document_country, i.record_number, decode(i.phone, 'base64'), decode(i.address, 'base64'), i.household_id, i.relation, i.grid,
      p_organization, statement_timestamp() FROM incoming i
    RETURNING residents_resident.id, residents_resident.key),
  numbered AS (
    INSERT INTO residents_identifier (resident_id, kind, system, index, live)
    SELECT m.id, n.kind, n.system, n.index, true FROM made m JOIN incoming i ON i.key = m.key
    CROSS JOIN LATERAL (VALUES (coalesce(nullif(i.document_kind, ''), 'national-id'), i.document_country, i.number_index),
      ('phone', '', i.phone_index), ('phone-proof', '', i.proof_index), ('mother-id', '', i.child_index))
      AS n (kind, system, index)
    WHERE n.index IS NOT NULL),
  grouped AS (
    INSERT INTO residents_group (resident_id, code, since)
    SELECT m.id, g.code, current_date FROM made m JOIN incoming i ON i.key = m.key
    CROSS JOIN LATERAL jsonb_array_elements_text(i.groups) AS g (code)),
  listed AS (
    INSERT INTO residents_panelentry (organization_id, resident_id, name, pinyin, initials, since)
    SELECT p_organization, m.id, i.name, i.pinyin, i.initials, current_date
    FROM made m JOIN incoming i ON i.key = m.key),
  proved AS (
    INSERT INTO access_presenceproof (resident_id, user_id, organization_id, second_fact, proved_at)
    SELECT m.id, access_user(), p_organization, 'registered', statement_timestamp() FROM made m WHERE p_present),
  related AS (
    INSERT INTO access_carerelationship (key, resident_id, organization_id, consortium_id, reason, scope, episode,
      category, sensitive, opened_at, closes_at, opened_by_id, basis)
    SELECT gen_random_uuid(), m.id, p_organization, p_consortium, 'source', 'full', '', '', false,
      statement_timestamp(), statement_timestamp() + interval '1 year', access_user(), '批量建档'
    FROM made m WHERE NOT p_present)
  SELECT made.key, made.id FROM made;
END $$;

-- Puts a resident whom the actor may see into key groups from a day on; those that it is in already stay as they are.
CREATE OR REPLACE FUNCTION residents_add_groups(p_resident bigint, p_codes text[], p_day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NOT (access_may('RESIDENT_REGISTER') AND access_may_see(p_resident)) THEN
    RAISE EXCEPTION 'change of groups refused' USING ERRCODE = '42501';
  END IF;
  INSERT INTO residents_group (resident_id, code, since)
    SELECT p_resident, g.code, p_day FROM unnest(p_codes) AS g (code)
    WHERE NOT EXISTS (SELECT 1 FROM residents_group h WHERE h.resident_id = p_resident AND h.code = g.code AND h.until IS NULL)
    ON CONFLICT (resident_id, code, since) DO UPDATE SET until = NULL;
END $$;

-- Which of these numbers are taken: the check of a file before it is brought in.
CREATE OR REPLACE FUNCTION residents_numbers_taken(p_indexes uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NOT access_may('RESIDENT_IMPORT') THEN
    RAISE EXCEPTION 'check refused' USING ERRCODE = '42501';
  END IF;
  RETURN QUERY SELECT DISTINCT n.index FROM residents_identifier n
    WHERE n.index = ANY (p_indexes) AND (n.kind = 'mother-id' OR residents_is_document(n.kind)) AND n.live;
END $$;

-- A number that is taken counts as a try, like a failed proof: the desk cannot be used to ask who is known.
CREATE OR REPLACE FUNCTION residents_note_try(p_number uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF access_user() IS NULL THEN RAISE EXCEPTION 'try refused' USING ERRCODE = '42501'; END IF;
  IF residents_presence_closed(p_number) THEN RETURN false; END IF;
  INSERT INTO access_presenceattempt (user_id, number_index, tried_at)
    VALUES (access_user(), p_number, clock_timestamp());
  RETURN true;
END $$;

-- The resident behind a whole number, for an emergency look only: what follows is told to the resident and reviewed.
CREATE OR REPLACE FUNCTION residents_behind_number(p_number uuid) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF access_user() IS NULL OR cardinality(access_record_reach()) = 0 THEN
    RAISE EXCEPTION 'look refused' USING ERRCODE = '42501';
  END IF;
  -- Two countries may have given the same passport number: then nobody is named, rather than somebody else.
  RETURN (SELECT min(resident_id) FROM residents_identifier
    WHERE index = p_number AND residents_is_document(kind) AND live HAVING count(*) = 1);
END $$;
