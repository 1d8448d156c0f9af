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
