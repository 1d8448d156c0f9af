-- A look at something of a resident: the entry in the trail with its ground, the widest live relationship of the units given; '' for
-- a look that needs none. Answers the ground.
CREATE OR REPLACE FUNCTION record_look(p_actor jsonb, p_action text, p_subject text, p_resident bigint, p_reach bigint[]) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE ground text := '';
BEGIN
  IF cardinality(p_reach) > 0 THEN
    SELECT c.reason INTO ground FROM access_carerelationship c
     WHERE c.resident_id = p_resident AND c.organization_id = ANY (p_reach)
       AND (c.closes_at IS NULL OR c.closes_at > statement_timestamp())
     ORDER BY CASE c.scope WHEN 'full' THEN 0 WHEN 'episode' THEN 1 ELSE 2 END, c.opened_at DESC LIMIT 1;
  END IF;
  PERFORM audit_record(p_actor, jsonb_build_array(jsonb_build_object('action', p_action, 'resident_id', p_resident,
    'subject', left(p_subject, 120), 'basis', coalesce(ground, ''), 'details', '{}'::jsonb)));
  RETURN coalesce(ground, '');
END $$;
