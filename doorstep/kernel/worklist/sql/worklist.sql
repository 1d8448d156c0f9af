-- A thing's tasks end with the act that moved the thing, in whoever's list they lie: its source's, its target's, and theirs to
-- whom they were escalated. The actor of the act cannot see the others' rows, so this runs with the owner's eyes.
CREATE OR REPLACE FUNCTION worklist_close(
  p_machine text, p_item bigint, p_outcome text, p_user bigint, p_now timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE closed integer;
BEGIN
  UPDATE worklist_task SET closed_at = p_now, closed_by_id = p_user, outcome = p_outcome
    WHERE item_id = p_item AND kind LIKE p_machine || '.%' AND closed_at IS NULL;
  GET DIAGNOSTICS closed = ROW_COUNT;
  RETURN closed;
END $$;

-- A new task. It gives nothing back: the row is another organisation's, and its giver may not read it.
CREATE OR REPLACE FUNCTION worklist_open(p_task jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  INSERT INTO worklist_task (key, kind, item_id, item_key, organization_id, consortium_id, resident_id, episode, permission,
      assignee_id, urgency, opened_at, warn_at, due_at, level, escalate_to, outcome)
    SELECT t.key, t.kind, t.item_id, t.item_key, t.organization_id, t.consortium_id, t.resident_id, t.episode, t.permission,
      t.assignee_id, t.urgency, t.opened_at, t.warn_at, t.due_at, 0, t.escalate_to, ''
    FROM jsonb_to_record(p_task) AS t (key uuid, kind text, item_id bigint, item_key uuid, organization_id bigint,
      consortium_id bigint, resident_id bigint, episode text, permission text, assignee_id bigint, urgency smallint,
      opened_at timestamptz, warn_at timestamptz, due_at timestamptz, escalate_to jsonb);
END $$;
