-- The same search keys, and for a patient also those of the records that are the same person since a merge: what was
-- written about the former record is found under the one that stands, and the other way round.
CREATE OR REPLACE FUNCTION record_same_patient(p_tokens text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM unnest(p_tokens) AS t (token) WHERE token ~ '^(patient|subject)\|Patient/') THEN
    RETURN p_tokens;
  END IF;
  RETURN p_tokens || ARRAY(
    SELECT split_part(t.token, '|', 1) || '|Patient/' || same.fhir_id
      FROM unnest(p_tokens) AS t (token)
      JOIN record_resource asked ON asked.type = 'Patient' AND asked.fhir_id = substring(t.token FROM '\|Patient/(.*)$')
      CROSS JOIN LATERAL access_standing(asked.resident_id) AS standing (id)
      CROSS JOIN LATERAL (SELECT standing.id UNION SELECT * FROM access_formers(standing.id)) AS people (id)
      JOIN record_resource same ON same.type = 'Patient' AND same.resident_id = people.id AND same.id <> asked.id);
END $$;

-- May the actor read a resource that belongs to no resident: what is shared, everybody who is somebody; what a hospital
-- sent for itself (a list, a group, a bundle), that hospital alone.
CREATE OR REPLACE FUNCTION record_open(writer bigint, sensitive boolean) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT access_is_system() OR (access_user() IS NOT NULL AND (NOT sensitive OR writer = ANY (access_record_reach())))
$$;

-- Resources of a type with one of these search keys, as far as the actor may read them. Under row-level security the
-- planner may not use the index of the keys, because && could tell of rows that the policy hides: it would ask the policy
-- of every row of the table. Here the index comes first, and the same policy is asked of what it found.
CREATE OR REPLACE FUNCTION record_matching(p_type text, p_tokens text[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT r.id FROM record_resource r
   WHERE r.tokens && record_same_patient(p_tokens) AND r.type = p_type AND NOT r.deleted
     AND ((r.resident_id IS NULL AND record_open(r.organization_id, r.sensitive))
          OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive))
$$;
