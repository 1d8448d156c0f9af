-- An event with a job for each of its handlers. p_event: the columns of its row; p_jobs: [{"queue", "task", "handler"}].
CREATE OR REPLACE FUNCTION events_publish(p_event jsonb, p_jobs jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE event bigint;
BEGIN
  INSERT INTO events_eventrow (key, name, at, subject, subject_id, resident_id, organization_id, consortium_id, user_id, details)
    SELECT gen_random_uuid(), e.name, coalesce(e.at, statement_timestamp()), e.subject, e.subject_id, e.resident_id, e.organization_id,
      e.consortium_id, e.user_id, e.details
    FROM jsonb_to_record(p_event) AS e (name text, at timestamptz, subject text, subject_id bigint, resident_id bigint,
      organization_id bigint, consortium_id bigint, user_id bigint, details jsonb)
    RETURNING id INTO event;
  IF jsonb_array_length(p_jobs) > 0 THEN
    PERFORM procrastinate_defer_jobs_v1(ARRAY(
      SELECT ROW(j ->> 'queue', j ->> 'task', 0, NULL, NULL, jsonb_build_object('event_id', event, 'handler', j -> 'handler'),
        NULL)::procrastinate_job_to_defer_v1 FROM jsonb_array_elements(p_jobs) j));
  END IF;
  RETURN event;
END $$;
