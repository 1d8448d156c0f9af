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

-- Several events in one statement, each with its handlers; p_subjects and p_residents stand in place of what the events say of them,
-- p_facts is added to their details. The arrays are parallel.
CREATE OR REPLACE FUNCTION events_publish_all(p_events jsonb[], p_jobs jsonb[], p_subjects bigint[], p_residents bigint[], p_facts jsonb[])
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  WITH given AS MATERIALIZED (
      SELECT gen_random_uuid() AS key, t.subject AS subject_id, t.resident, t.facts, t.jobs, e.*
        FROM unnest(p_events, p_jobs, p_subjects, p_residents, p_facts) AS t (event, jobs, subject, resident, facts),
          LATERAL jsonb_to_record(t.event) AS e (name text, at timestamptz, subject text, organization_id bigint, consortium_id bigint,
            user_id bigint, details jsonb)),
    published AS (
      INSERT INTO events_eventrow (key, name, at, subject, subject_id, resident_id, organization_id, consortium_id, user_id, details)
        SELECT g.key, g.name, coalesce(g.at, statement_timestamp()), g.subject, g.subject_id, g.resident, g.organization_id,
          g.consortium_id, g.user_id, g.details || g.facts
        FROM given g
        RETURNING id, at, key)
    INSERT INTO events_waitingevent (event_id, at, handlers)
      SELECT p.id, p.at, ARRAY(SELECT * FROM jsonb_array_elements_text(g.jobs))
        FROM published p JOIN given g ON g.key = p.key WHERE jsonb_array_length(g.jobs) > 0;
END $$;
