-- One resource as it is, for a machine: the row as the actor may see it, and the look at it in the audit trail with its ground, the
-- widest live relationship. Nobody looks at what is deleted. It reads with the owner's eyes and asks the wall itself, as searches do:
-- a full relationship, found as the ground, lets the actor read every ordinary entry of the resident, and access_may_read would look
-- for the same row once more. Whatever is not plainly so is asked of the wall.
CREATE OR REPLACE FUNCTION record_read(p_type text, p_id text, p_actor jsonb)
RETURNS TABLE (type varchar, fhir_id varchar, version integer, deleted boolean, received boolean, organization_id bigint,
  resident_id bigint, updated_at timestamptz, episode varchar, content text, id bigint)
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  ground text;
  whole boolean;
  category text;
  sensitive boolean;
BEGIN
  SELECT r.type, r.fhir_id, r.version, r.deleted, r.received, r.organization_id, r.resident_id, r.updated_at, r.episode, r.content::text, r.id,
      r.category, r.sensitive, g.reason, g.whole
    INTO record_read.type, record_read.fhir_id, record_read.version, record_read.deleted, record_read.received, record_read.organization_id,
      record_read.resident_id, record_read.updated_at, record_read.episode, record_read.content, record_read.id,
      category, sensitive, ground, whole
    FROM record_resource r LEFT JOIN LATERAL (
      SELECT c.reason, c.scope = 'full' AND c.opened_at <= statement_timestamp() AS whole FROM access_carerelationship c
       WHERE c.resident_id = r.resident_id AND c.organization_id = ANY (access_record_reach())
         AND (c.closes_at IS NULL OR c.closes_at > statement_timestamp())
       ORDER BY CASE c.scope WHEN 'full' THEN 0 WHEN 'episode' THEN 1 ELSE 2 END, c.opened_at DESC LIMIT 1) g ON true
   WHERE r.type = p_type AND r.fhir_id = p_id;
  IF NOT FOUND OR (whole AND NOT sensitive AND access_only() IS NULL
      OR record_readable(record_read.resident_id, record_read.organization_id, record_read.episode, category, sensitive)) IS NOT TRUE THEN
    RETURN;
  END IF;
  IF NOT record_read.deleted THEN
    PERFORM audit_looks(p_actor, 'fhir.read', p_type || '/' || p_id, ARRAY[record_read.resident_id], coalesce(ground, ''), '{}');
  END IF;
  RETURN NEXT;
END $$;

-- A search with the actor's look at each resident whose resources it shows, or at the patient it asked for and found nothing of.
-- Values of a search may name a person: the trail keeps only which parameters were asked.
CREATE OR REPLACE FUNCTION record_searched(p_query jsonb, p_patient text, p_parameters jsonb, p_actor jsonb)
RETURNS TABLE (matched integer, entries text, last text, total bigint)
LANGUAGE plpgsql VOLATILE STRICT SET search_path = public AS $$
#variable_conflict use_column
DECLARE seen bigint[];
BEGIN
  SELECT s.matched, s.entries, s.last::text, s.total, s.residents
    INTO record_searched.matched, record_searched.entries, record_searched.last, record_searched.total, seen FROM record_search(p_query) s;
  IF seen IS NULL AND p_patient <> '' THEN
    seen := ARRAY(SELECT r.resident_id FROM record_resource r WHERE r.type = 'Patient' AND r.fhir_id = p_patient);
  END IF;
  PERFORM audit_looks(p_actor, 'fhir.search', p_query ->> 'type', seen, '', jsonb_build_object('parameters', p_parameters));
  RETURN NEXT;
END $$;

-- The number of the newest version of anything, whoever may read it.
CREATE OR REPLACE FUNCTION record_newest_version() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT coalesce(max(v.id), 0) FROM record_resourceversion v
$$;

-- What those have of a type (NULL: of all) whom the actor knows, and what nobody has of it, as far as it was written since a moment; NULL when
-- the actor knows too many, or when the type is nobody's.
DROP FUNCTION IF EXISTS record_all_known(text);
CREATE OR REPLACE FUNCTION record_all_known(p_type text, p_since timestamptz) RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE
  known bigint[];
BEGIN
  IF p_type IS NOT NULL AND EXISTS (SELECT 1 FROM record_resource i WHERE i.resident_id IS NULL AND i.type = p_type OFFSET 200) THEN
    RETURN NULL;
  END IF;
  known := access_acquainted(20000);
  RETURN CASE WHEN known IS NULL THEN NULL WHEN p_type IS NULL THEN ARRAY(
    SELECT i.id FROM unnest(known) AS e (id),
      LATERAL (SELECT i.id FROM record_resource i WHERE i.resident_id = e.id AND (p_since IS NULL OR i.updated_at >= p_since) OFFSET 0) i
    UNION ALL SELECT i.id FROM record_resource i WHERE i.resident_id IS NULL AND (p_since IS NULL OR i.updated_at >= p_since))
  ELSE ARRAY(
    SELECT i.id FROM unnest(known) AS e (id),
      LATERAL (SELECT i.id FROM record_resource i WHERE i.resident_id = e.id AND i.type = p_type
        AND (p_since IS NULL OR i.updated_at >= p_since) OFFSET 0) i
    UNION ALL SELECT i.id FROM record_resource i WHERE i.resident_id IS NULL AND i.type = p_type
        AND (p_since IS NULL OR i.updated_at >= p_since)) END;
END $$;
