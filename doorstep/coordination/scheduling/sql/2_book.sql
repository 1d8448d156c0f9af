-- What is shown of a slot, for whoever writes a booking of it: at_once.Seen keeps it. Whether it was stopped and what is left of it
-- is not part of it: these are asked for with every booking.
CREATE OR REPLACE FUNCTION scheduling_seen(p_slot bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = public AS $$
DECLARE seen jsonb;
BEGIN
  SELECT jsonb_build_object('id', s.id, 'key', s.key, 'starts', s.starts_at, 'ends', s.ends_at, 'unit', s.organization_id,
      'consortium', s.consortium_id, 'unit_name', o.name, 'schedule', c.id, 'schedule_key', c.key, 'service', c.service,
      'department', d.id, 'department_name', d.name, 'expert', p.id, 'expert_key', p.key, 'expert_name', p.name,
      'expert_title', p.title, 'expert_specialty', p.specialty)
    INTO seen
    FROM scheduling_slot s
    JOIN scheduling_schedule c ON c.id = s.schedule_id
    JOIN organizations_organization o ON o.id = s.organization_id
    JOIN organizations_department d ON d.id = c.department_id
    LEFT JOIN workforce_practitioner p ON p.id = c.practitioner_id
   WHERE s.id = p_slot;
  RETURN seen;
END $$;

-- A place claimed and booked in one call, with everything that a booking leaves: what was shown of the slot, the claim, what the
-- clinic may see, the booking, its history, event, entry in the trail and Appointment. Its plans stay with the session.
-- p_ask: whom and what for (at_once); p_seen: what the caller knows of the slot; p_row: the booking as far as it is
-- known before; the rest are the traces that workflow.actions.beginning prepared.
-- Answers {"outcome"} with a word of scheduling_take, and beside "taken" what was not known before; "look" with "seen" when the caller knows the slot otherwise than it is, or
-- "watched" when a subscription waits for Appointments, which this call does not tell. All but "taken" leave every row as it was.
-- What is called from here is planned once for the session: with plans made anew for the values of each call, planning would be
-- a quarter of the work of a booking.
CREATE OR REPLACE FUNCTION scheduling_book(
  p_ask jsonb, p_seen jsonb, p_row jsonb, p_step jsonb, p_event jsonb, p_jobs jsonb, p_who jsonb, p_entries jsonb, p_rows jsonb,
  p_index jsonb, p_consortium bigint, p_user bigint, p_now timestamptz, p_stamp text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  ask record;
  slot record;
  place record;
  person record;
  seen jsonb;
  booking bigint;
  grounds text[];
BEGIN
  SELECT * INTO ask FROM jsonb_to_record(p_ask) AS a (slot uuid, patient uuid, request uuid, quotas text[], reach bigint[], unit bigint,
    first boolean, holder bigint, booking uuid, sight text, basis text, until interval, referred boolean, elders date, today date,
    groups jsonb);
  SELECT b.key INTO ask.booking FROM scheduling_booking b WHERE b.hold_key = ask.request;
  IF FOUND THEN
    RETURN jsonb_build_object('outcome', 'earlier', 'booking', ask.booking);
  END IF;
  ask.booking := (p_ask ->> 'booking')::uuid;
  SELECT z.id, z.starts_at, z.ends_at, z.stopped_at, z.opens_at, z.organization_id INTO slot FROM scheduling_slot z WHERE z.key = ask.slot;
  IF NOT FOUND THEN
    RETURN '{"outcome": "no-slot"}';
  END IF;
  IF slot.stopped_at IS NOT NULL OR slot.starts_at <= p_now THEN
    RETURN '{"outcome": "over"}';
  END IF;
  -- Most who come in a burst come too late: nothing else is looked at for them.
  IF NOT EXISTS (SELECT 1 FROM scheduling_place q WHERE q.slot_id = slot.id AND q.state IN ('free', 'held')
      AND q.quota = ANY (ask.quotas) AND (q.state = 'free' OR q.held_until <= p_now)) THEN
    RETURN '{"outcome": "sold-out"}';
  END IF;
  SELECT r.id, r.birth_date, r.deceased_on, r.key INTO person FROM residents_resident r WHERE r.key = ask.patient;
  IF NOT FOUND THEN
    RETURN '{"outcome": "no-resident"}';
  END IF;
  IF person.deceased_on IS NOT NULL THEN
    RETURN jsonb_build_object('outcome', 'deceased', 'resident', person.id);
  END IF;
  seen := scheduling_seen(slot.id);
  IF p_seen IS DISTINCT FROM seen THEN
    RETURN jsonb_build_object('outcome', 'look', 'seen', seen);
  END IF;
  IF EXISTS (SELECT 1 FROM record_watch w WHERE w.type = 'Appointment') THEN
    RETURN '{"outcome": "watched"}';
  END IF;
  SELECT * INTO place FROM scheduling_claim(slot.id, slot.opens_at, ask.quotas, ask.reach, ask.unit, ask.first, p_now);
  IF place.o_place IS NULL THEN
    RETURN jsonb_build_object('outcome', CASE WHEN ask.first OR slot.opens_at <= p_now THEN 'sold-out' ELSE 'early' END,
                              'resident', person.id);
  END IF;

  UPDATE scheduling_place q SET state = 'booked', hold_key = NULL, held_until = NULL, held_by_id = p_user,
      held_organization_id = ask.holder WHERE q.id = place.o_place;
  PERFORM scheduling_show(person.id, slot.organization_id, p_consortium, ask.booking, slot.ends_at + ask.until, ask.sight, ask.holder,
                          ask.basis);
  INSERT INTO scheduling_booking (key, consortium_id, state, state_since, created_at, place_id, slot_id, resident_id, resident_key,
      organization_id, source_organization_id, quota, period, reference, hold_key, booked_by_id, channel, groups, wanted_since,
      extra_reason, half_day)
    SELECT b.key, b.consortium_id, b.state, b.state_since, b.created_at, place.o_place, slot.id, person.id, person.key,
      slot.organization_id, b.source_organization_id, place.o_quota, tstzrange(slot.starts_at, slot.ends_at), b.reference,
      ask.request, b.booked_by_id, b.channel,
      -- Which grounds of precedence hold; the rule itself comes with the call, one list of grounds for each set of facts.
      ARRAY(SELECT jsonb_array_elements_text(ask.groups -> (
        CASE WHEN ask.referred OR place.o_quota = 'referral' THEN 'r' ELSE '-' END
        || CASE WHEN scheduling_signed(person.id, ask.today) THEN 's' ELSE '-' END
        || CASE WHEN person.birth_date <= ask.elders THEN 'e' ELSE '-' END))), b.wanted_since, '', b.half_day
    FROM jsonb_to_record(p_row) AS b (key uuid, consortium_id bigint, state text, state_since timestamptz, created_at timestamptz,
      source_organization_id bigint, reference text, booked_by_id bigint, channel text, wanted_since timestamptz,
      half_day text)
    RETURNING id, groups INTO booking, grounds;
  PERFORM workflow_begin(booking, person.id, jsonb_build_object('quota', place.o_quota), p_step, p_event, p_jobs, p_who, p_entries,
                         p_rows, p_index, p_consortium, p_user, p_now, p_stamp);
  RETURN jsonb_build_object('outcome', 'taken', 'booking', booking, 'resident', person.id, 'place', place.o_place, 'quota', place.o_quota,
    'groups', grounds);
END $$;

-- Any number of these calls in one transaction, in their order; p_calls: a list of argument lists. One that the wall or a constraint
-- refuses leaves nothing, and the others as they are; it is answered "refused" with SQLSTATE and constraint.
CREATE OR REPLACE FUNCTION scheduling_book_all(p_calls jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  one jsonb;
  answers jsonb := '[]';
  refused text;
  said text;
BEGIN
  -- One person's requests wait for each other, always in the same order of persons: two lists that share two would block each other.
  PERFORM pg_advisory_xact_lock(o.person) FROM (
    SELECT DISTINCT hashtextextended(c -> 0 ->> 'patient', 7015200) AS person FROM jsonb_array_elements(p_calls) c ORDER BY 1) o;
  FOR one IN SELECT c FROM jsonb_array_elements(p_calls) WITH ORDINALITY AS x (c, number) ORDER BY x.number LOOP
    BEGIN
      answers := answers || jsonb_build_array(scheduling_book(one -> 0, one -> 1, one -> 2, one -> 3, one -> 4, one -> 5, one -> 6, one -> 7,
        one -> 8, one -> 9, (one ->> 10)::bigint, (one ->> 11)::bigint, (one ->> 12)::timestamptz, one ->> 13));
    EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege THEN
      GET STACKED DIAGNOSTICS refused = RETURNED_SQLSTATE, said = CONSTRAINT_NAME;
      answers := answers || jsonb_build_array(jsonb_build_object('outcome', 'refused', 'state', refused, 'constraint', said));
    END;
  END LOOP;
  RETURN answers;
END $$;
