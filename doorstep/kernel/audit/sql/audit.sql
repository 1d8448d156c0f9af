-- Entries of one actor: p_actor holds the columns that are the same in each, p_acts what was done, to what, of whom.
CREATE OR REPLACE FUNCTION audit_record(p_actor jsonb, p_acts jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  INSERT INTO audit_auditentry (action, actor_kind, user_id, actor_name, role, organization_id, organization_name, consortium_id,
      resident_id, subject, basis, purpose, address, request_id, details)
    SELECT e.action, a.actor_kind, a.user_id, a.actor_name, a.role, a.organization_id, a.organization_name, a.consortium_id,
      e.resident_id, e.subject, e.basis, a.purpose, a.address, a.request_id, e.details
    FROM jsonb_to_record(p_actor) AS a (actor_kind text, user_id bigint, actor_name text, role text, organization_id bigint,
        organization_name text, consortium_id bigint, purpose text, address text, request_id text),
      ROWS FROM (jsonb_to_recordset(p_acts) AS (action text, resident_id bigint, subject text, basis text, details jsonb))
        WITH ORDINALITY AS e (action, resident_id, subject, basis, details, place)
    ORDER BY e.place;
END $$;

-- An actor's look at several residents, or at what concerns none: an entry for each, the same in all of them. Each value by its name:
-- making a row of the whole object is a function that returns a set, and costs twice as much.
CREATE OR REPLACE FUNCTION audit_looks(p_actor jsonb, p_action text, p_subject text, p_residents bigint[], p_basis text, p_details jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  INSERT INTO audit_auditentry (action, actor_kind, user_id, actor_name, role, organization_id, organization_name, consortium_id,
      resident_id, subject, basis, purpose, address, request_id, details)
    SELECT p_action, p_actor ->> 'actor_kind', (p_actor ->> 'user_id')::bigint, p_actor ->> 'actor_name', p_actor ->> 'role',
      (p_actor ->> 'organization_id')::bigint, p_actor ->> 'organization_name', (p_actor ->> 'consortium_id')::bigint,
      seen.id, left(p_subject, 120), p_basis, p_actor ->> 'purpose', p_actor ->> 'address', p_actor ->> 'request_id', p_details
    FROM unnest(CASE WHEN cardinality(p_residents) > 0 THEN p_residents ELSE ARRAY[NULL::bigint] END) AS seen (id);
END $$;

-- One entry of each of several actors' acts: p_actors and p_acts as above, p_residents stand in place of what the acts say of them,
-- p_facts is added to their details. The arrays are parallel.
CREATE OR REPLACE FUNCTION audit_record_all(p_actors jsonb[], p_acts jsonb[], p_residents bigint[], p_facts jsonb[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  INSERT INTO audit_auditentry (action, actor_kind, user_id, actor_name, role, organization_id, organization_name, consortium_id,
      resident_id, subject, basis, purpose, address, request_id, details)
    SELECT e.action, a.actor_kind, a.user_id, a.actor_name, a.role, a.organization_id, a.organization_name, a.consortium_id,
      t.resident, e.subject, e.basis, a.purpose, a.address, a.request_id, e.details || t.facts
    FROM unnest(p_actors, p_acts, p_residents, p_facts) WITH ORDINALITY AS t (actor, act, resident, facts, place),
      LATERAL jsonb_to_record(t.actor) AS a (actor_kind text, user_id bigint, actor_name text, role text, organization_id bigint,
        organization_name text, consortium_id bigint, purpose text, address text, request_id text),
      LATERAL jsonb_to_record(t.act) AS e (action text, subject text, basis text, details jsonb)
    ORDER BY t.place;
END $$;
