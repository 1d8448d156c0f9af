-- An event, which waits for its handlers. p_event: the columns of its row; p_jobs: the names of its handlers.
CREATE OR REPLACE FUNCTION events_publish(p_event jsonb, p_jobs jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  event bigint;
  moment timestamptz;
BEGIN
  INSERT INTO events_eventrow (key, name, at, subject, subject_id, resident_id, organization_id, consortium_id, user_id, details)
    SELECT gen_random_uuid(), e.name, coalesce(e.at, statement_timestamp()), e.subject, e.subject_id, e.resident_id, e.organization_id,
      e.consortium_id, e.user_id, e.details
    FROM jsonb_to_record(p_event) AS e (name text, at timestamptz, subject text, subject_id bigint, resident_id bigint,
      organization_id bigint, consortium_id bigint, user_id bigint, details jsonb)
    RETURNING id, at INTO event, moment;
  IF jsonb_array_length(p_jobs) > 0 THEN
    INSERT INTO events_waitingevent (event_id, at, handlers)
      VALUES (event, moment, ARRAY(SELECT * FROM jsonb_array_elements_text(p_jobs)));
  END IF;
  RETURN event;
END $$;
