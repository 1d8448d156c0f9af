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

-- What a thing leaves when it begins, for a function that has just inserted it: p_item and p_resident are put where the traces
-- (workflow.actions.beginning) could not name them yet, p_facts is added to the details of event and entry. The thing shows one
-- resource. A type that a subscription waits for is the business of whoever calls this: nobody is told here.
CREATE OR REPLACE FUNCTION workflow_begin(
  p_item bigint, p_resident bigint, p_facts jsonb, p_step jsonb, p_event jsonb, p_jobs jsonb, p_who jsonb, p_entries jsonb,
  p_rows jsonb, p_index jsonb, p_consortium bigint, p_user bigint, p_now timestamptz, p_stamp text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  resident jsonb := jsonb_build_object('resident_id', p_resident);
BEGIN
  PERFORM record_begin((p_rows -> 0) || jsonb_build_object('resident', p_resident), p_index -> 0, p_consortium, p_user, p_now, p_stamp);
  PERFORM workflow_note(p_step || resident || jsonb_build_object('item_id', p_item));
  PERFORM events_publish(p_event || resident || jsonb_build_object('subject_id', p_item, 'details', (p_event -> 'details') || p_facts), p_jobs);
  PERFORM audit_record(p_who, jsonb_build_array(
    (p_entries -> 0) || resident || jsonb_build_object('details', (p_entries -> 0 -> 'details') || p_facts)));
END $$;
