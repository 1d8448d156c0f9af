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

-- The same of several things in one statement; p_items and p_residents stand in place of what the lines say of them.
CREATE OR REPLACE FUNCTION workflow_note_all(p_steps jsonb[], p_items bigint[], p_residents bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
  INSERT INTO workflow_step (machine, item_id, item_key, resident_id, verb, from_state, to_state, at, user_id, actor_name,
      organization_id, organization_name, reason, parties)
    SELECT s.machine, t.item, s.item_key, t.resident, s.verb, s.from_state, s.to_state, s.at, s.user_id, s.actor_name,
      s.organization_id, s.organization_name, s.reason, s.parties
    FROM unnest(p_steps, p_items, p_residents) AS t (step, item, resident),
      LATERAL jsonb_to_record(t.step) AS s (machine text, item_key uuid, verb text, from_state text, to_state text, at timestamptz,
        user_id bigint, actor_name text, organization_id bigint, organization_name text, reason text, parties bigint[]);
END $$;

-- What things leave when they begin, for a function that has just inserted them; the arrays are parallel, one place for each thing.
-- p_items and p_residents are put where the traces (workflow.actions.beginning) could not name them yet, p_facts is added to the
-- details of event and entry. p_traces are lists of JSON in which these traces stand from the place p_from on: step, event, jobs, who,
-- entries, rows, index, consortium, user, now, stamp. A thing shows one resource. A type that a subscription waits for is the
-- business of whoever calls this: nobody is told here.
-- Every table is written once for all things: what a statement costs besides its rows is most of what a trace costs.
DROP FUNCTION IF EXISTS workflow_begin(bigint, bigint, jsonb, jsonb, jsonb, jsonb, jsonb, jsonb, jsonb, jsonb, bigint, bigint, timestamptz, text);
CREATE OR REPLACE FUNCTION workflow_begin(p_items bigint[], p_residents bigint[], p_facts jsonb[], p_traces jsonb[], p_from integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  steps jsonb[];
  events jsonb[];
  jobs jsonb[];
  actors jsonb[];
  entries jsonb[];
  shown jsonb[];
  indexed jsonb[];
  written jsonb[];
BEGIN
  SELECT array_agg(t.trace -> p_from ORDER BY t.place), array_agg(t.trace -> (p_from + 1) ORDER BY t.place),
      array_agg(t.trace -> (p_from + 2) ORDER BY t.place), array_agg(t.trace -> (p_from + 3) ORDER BY t.place),
      array_agg(t.trace -> (p_from + 4) -> 0 ORDER BY t.place), array_agg(t.trace -> (p_from + 5) -> 0 ORDER BY t.place),
      array_agg(t.trace -> (p_from + 6) -> 0 ORDER BY t.place),
      array_agg(jsonb_build_object('consortium', t.trace -> (p_from + 7), 'user', t.trace -> (p_from + 8), 'now', t.trace -> (p_from + 9),
        'stamp', t.trace -> (p_from + 10)) ORDER BY t.place)
    INTO steps, events, jobs, actors, entries, shown, indexed, written
    FROM unnest(p_traces) WITH ORDINALITY AS t (trace, place);
  PERFORM record_begin(shown, indexed, p_residents, written);
  PERFORM workflow_note_all(steps, p_items, p_residents);
  PERFORM events_publish_all(events, jobs, p_items, p_residents, p_facts);
  PERFORM audit_record_all(actors, entries, p_residents, p_facts);
END $$;
