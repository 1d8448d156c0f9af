-- Resources of a type with one of these search keys, as far as the actor may read them. Under row-level security the
-- planner may not use the index of the keys, because && could tell of rows that the policy hides: it would ask the policy
-- of every row of the table. Here the index comes first, and the same policy is asked of what it found.
CREATE OR REPLACE FUNCTION record_matching(p_type text, p_tokens text[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT r.id FROM record_resource r
   WHERE r.tokens && p_tokens AND r.type = p_type AND NOT r.deleted
     AND ((r.resident_id IS NULL AND (access_user() IS NOT NULL OR access_is_system()))
          OR access_may_read(r.resident_id, r.organization_id, r.episode, r.category, r.sensitive))
$$;
