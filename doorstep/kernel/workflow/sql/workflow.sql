-- A line of the history of a thing. p_step: its columns.
CREATE OR REPLACE FUNCTION workflow_note(p_step jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  INSERT INTO workflow_step (machine, item_id, item_key, resident_id, verb, from_state, to_state, at, user_id, actor_name,
      organization_id, organization_name, reason, parties)
    SELECT s.machine, s.item_id, s.item_key, s.resident_id, s.verb, s.from_state, s.to_state, s.at, s.user_id, s.actor_name,
      s.organization_id, s.organization_name, s.reason, s.parties
    FROM jsonb_to_record(p_step) AS s (machine text, item_id bigint, item_key uuid, resident_id bigint, verb text, from_state text,
      to_state text, at timestamptz, user_id bigint, actor_name text, organization_id bigint, organization_name text, reason text,
      parties bigint[]);
END $$;
