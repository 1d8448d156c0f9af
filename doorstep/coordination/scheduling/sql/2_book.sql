-- Places claimed and booked in one call, with everything that a booking leaves: what was shown of the slot, the claim, what the
-- clinic may see, the booking, its history, event, entry in the trail and Appointment. The plans stay with the session.
-- p_calls are argument lists of scheduling_book, of one or of many who came at the same moment. They are carried out in their order,
-- but each table is asked and written once for all: what a statement costs besides its rows is most of what a booking costs.
-- Answers for each call {"outcome"} with a word of scheduling_take, and beside "taken" what was not known before; "look" with "seen" when
-- the caller knows the slot otherwise than it is, or "watched" when a subscription waits for Appointments, which this call does not
-- tell. All but "taken" leave every row as it was. NULL, with nothing done, for a call that should be carried out alone: of somebody who
-- stands in p_calls twice, or is expected in this clinic already. What the wall or a constraint refuses is raised, and nothing is left.
CREATE OR REPLACE FUNCTION scheduling_book_some(p_calls jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  many boolean := cardinality(p_calls) > 1;
  watched boolean := EXISTS (SELECT 1 FROM record_watch w WHERE w.type = 'Appointment');
  one record;
  place record;
  answer jsonb;
  answers jsonb[];
  -- Of what was claimed, in parallel: which call, place, person, slot.
  calls jsonb[]; numbers integer[]; places bigint[]; quotas text[]; persons bigint[]; slots bigint[]; units bigint[]; periods tstzrange[];
  grounds text[]; keys uuid[]; facts jsonb[]; bookings bigint[];
BEGIN
  FOR one IN
    SELECT x.number::integer AS number, x.call, a.*, (x.call ->> 10)::bigint AS consortium, (x.call ->> 11)::bigint AS booker,
        (x.call ->> 12)::timestamptz AS now, e.key AS earlier, z.id AS slot_id, z.starts_at, z.ends_at, z.stopped_at, z.opens_at,
        z.organization_id, coalesce(f.found, false) AS left_over, r.id AS person, r.birth_date, r.deceased_on, s.seen,
        many AND (row_number() OVER (PARTITION BY a.patient ORDER BY x.number) > 1 OR c.found) AS alone
      FROM unnest(p_calls) WITH ORDINALITY AS x (call, number)
      CROSS JOIN LATERAL jsonb_to_record(x.call -> 0) AS a (slot uuid, patient uuid, request uuid, quotas text[], reach bigint[],
        unit bigint, first boolean, holder bigint, booking uuid, sight text, basis text, until interval, referred boolean, elders date,
        today date)
      -- Each LIMIT lets the planner go to the row by its index, however small the table is when it is asked first.
      LEFT JOIN LATERAL (SELECT b.key FROM scheduling_booking b WHERE b.hold_key = a.request LIMIT 1) e ON true
      LEFT JOIN LATERAL (SELECT y.id, y.starts_at, y.ends_at, y.stopped_at, y.opens_at, y.organization_id, y.schedule_id, y.key,
        y.consortium_id, y.facility_id FROM scheduling_slot y WHERE y.key = a.slot LIMIT 1) z ON true
      LEFT JOIN LATERAL (SELECT true AS found FROM scheduling_place q WHERE q.slot_id = z.id AND q.state IN ('free', 'held')
        AND q.quota = ANY (a.quotas) AND (q.state = 'free' OR q.held_until <= (x.call ->> 12)::timestamptz) LIMIT 1) f ON true
      -- Most who come in a burst come too late: nothing else is looked at for them.
      LEFT JOIN LATERAL (SELECT p.id, p.birth_date, p.deceased_on FROM residents_resident p WHERE p.key = a.patient AND f.found LIMIT 1) r
        ON true
      LEFT JOIN LATERAL (SELECT true AS found FROM scheduling_booking b WHERE b.resident_id = r.id AND b.half_day = x.call -> 2 ->> 'half_day'
        AND b.half_day <> '' AND b.state IN ('booked', 'arrived') LIMIT 1) c ON true
      -- What is shown of a slot, for whoever writes a booking of it: at_once.Seen keeps it. Whether it was stopped and what is left of it
      -- is not part of it: these are asked for with every booking.
      LEFT JOIN LATERAL (
        SELECT jsonb_build_object('id', z.id, 'key', z.key, 'starts', z.starts_at, 'ends', z.ends_at, 'unit', z.organization_id,
            'consortium', z.consortium_id, 'unit_name', o.name, 'schedule', h.id, 'schedule_key', h.key, 'service', h.service,
            'department', d.id, 'department_name', d.name, 'department_code', d.code, 'expert', p.id, 'expert_key', p.key, 'expert_name', p.name,
            'expert_title', p.title, 'expert_specialty', p.specialty, 'room', m.id, 'room_key', m.key, 'room_name', m.name,
            'room_kind', m.kind) AS seen
          FROM scheduling_schedule h
          JOIN organizations_organization o ON o.id = z.organization_id
          JOIN organizations_department d ON d.id = h.department_id
          LEFT JOIN workforce_practitioner p ON p.id = h.practitioner_id
          LEFT JOIN scheduling_facility m ON m.id = coalesce(z.facility_id, h.facility_id)
         WHERE h.id = z.schedule_id AND r.id IS NOT NULL LIMIT 1) s ON true
     ORDER BY x.number
  LOOP
    answer := CASE
      WHEN one.earlier IS NOT NULL THEN jsonb_build_object('outcome', 'earlier', 'booking', one.earlier)
      WHEN one.slot_id IS NULL THEN '{"outcome": "no-slot"}'
      WHEN one.stopped_at IS NOT NULL OR one.starts_at <= one.now THEN '{"outcome": "over"}'
      WHEN NOT one.left_over THEN '{"outcome": "sold-out"}'
      WHEN one.person IS NULL THEN '{"outcome": "no-resident"}'
      WHEN one.deceased_on IS NOT NULL THEN jsonb_build_object('outcome', 'deceased', 'resident', one.person)
      WHEN one.call -> 1 IS DISTINCT FROM one.seen THEN jsonb_build_object('outcome', 'look', 'seen', one.seen)
      WHEN watched THEN '{"outcome": "watched"}'
    END;
    IF answer IS NULL AND one.alone IS NOT TRUE THEN
      SELECT * INTO place FROM scheduling_claim(one.slot_id, one.opens_at, one.quotas, one.reach, one.unit, one.first, one.now);
      IF place.o_place IS NULL THEN
        answer := jsonb_build_object('outcome', CASE WHEN one.first OR one.opens_at <= one.now THEN 'sold-out' ELSE 'early' END,
                                     'resident', one.person);
      ELSE
        UPDATE scheduling_place q SET state = 'booked', hold_key = NULL, held_until = NULL, held_by_id = one.booker,
            held_organization_id = one.holder WHERE q.id = place.o_place;
        PERFORM scheduling_show(one.person, one.organization_id, one.consortium, one.booking, one.ends_at + one.until, one.sight, one.holder,
                                one.basis);
        calls := calls || one.call;
        numbers := numbers || one.number;
        places := places || place.o_place;
        quotas := quotas || place.o_quota;
        persons := persons || one.person;
        slots := slots || one.slot_id;
        units := units || one.organization_id;
        periods := periods || tstzrange(one.starts_at, one.ends_at);
        keys := keys || one.booking;
        facts := facts || jsonb_build_object('quota', place.o_quota);
        -- Which grounds of precedence hold; the rule itself comes with the call, one list of grounds for each set of facts.
        grounds := grounds || (CASE WHEN one.referred OR place.o_quota = 'referral' THEN 'r' ELSE '-' END
          || CASE WHEN scheduling_signed(one.person, one.today) THEN 's' ELSE '-' END
          || CASE WHEN one.birth_date <= one.elders THEN 'e' ELSE '-' END);
      END IF;
    END IF;
    answers := answers || answer;
  END LOOP;
  IF numbers IS NULL THEN
    RETURN answers;
  END IF;

  bookings := array_fill(NULL::bigint, ARRAY[cardinality(keys)]);
  FOR one IN
    INSERT INTO scheduling_booking (key, consortium_id, state, state_since, created_at, place_id, slot_id, resident_id, resident_key,
        organization_id, source_organization_id, quota, period, reference, hold_key, booked_by_id, channel, groups, wanted_since,
        extra_reason, half_day)
      SELECT b.key, b.consortium_id, b.state, b.state_since, b.created_at, t.place, t.slot, t.person, (t.call -> 0 ->> 'patient')::uuid,
        t.unit, b.source_organization_id, t.quota, t.period, b.reference,
        (t.call -> 0 ->> 'request')::uuid, b.booked_by_id, b.channel,
        ARRAY(SELECT jsonb_array_elements_text(t.call -> 0 -> 'groups' -> t.ground)), b.wanted_since, '', b.half_day
      FROM unnest(calls, places, slots, persons, units, quotas, periods, grounds) WITH ORDINALITY
          AS t (call, place, slot, person, unit, quota, period, ground, number),
        LATERAL jsonb_to_record(t.call -> 2) AS b (key uuid, consortium_id bigint, state text, state_since timestamptz,
          created_at timestamptz, source_organization_id bigint, reference text, booked_by_id bigint, channel text, wanted_since timestamptz,
          half_day text)
      ORDER BY t.number
      RETURNING id, key, resident_id, place_id, quota, groups
  LOOP
    bookings[array_position(keys, one.key)] := one.id;
    answers[numbers[array_position(keys, one.key)]] := jsonb_build_object('outcome', 'taken', 'booking', one.id, 'resident', one.resident_id,
      'place', one.place_id, 'quota', one.quota, 'groups', one.groups);
  END LOOP;
  PERFORM workflow_begin(bookings, persons, facts, calls, 3);
  RETURN answers;
END $$;

-- One such call. p_ask: whom and what for (at_once); p_seen: what the caller knows of the slot; p_row: the booking as far as it is known
-- before; the rest are the traces that workflow.actions.beginning prepared.
-- What is called from here is planned once for the session: with plans made anew for the values of each call, planning would be
-- a quarter of the work of a booking.
CREATE OR REPLACE FUNCTION scheduling_book(
  p_ask jsonb, p_seen jsonb, p_row jsonb, p_step jsonb, p_event jsonb, p_jobs jsonb, p_who jsonb, p_entries jsonb, p_rows jsonb,
  p_index jsonb, p_consortium bigint, p_user bigint, p_now timestamptz, p_stamp text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN (scheduling_book_some(ARRAY[jsonb_build_array(p_ask, p_seen, p_row, p_step, p_event, p_jobs, p_who, p_entries, p_rows, p_index,
    p_consortium, p_user, p_now, p_stamp)]))[1];
END $$;
DROP FUNCTION IF EXISTS scheduling_seen(bigint);

-- Such calls, of which some may be refused by the wall or by a constraint: where that happens, each half is carried out by itself, down
-- to the one that is refused. It leaves nothing, and is answered "refused" with SQLSTATE and constraint.
CREATE OR REPLACE FUNCTION scheduling_book_halves(p_calls jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  half integer := cardinality(p_calls) / 2;
  refused text;
  said text;
BEGIN
  BEGIN
    RETURN scheduling_book_some(p_calls);
  EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege THEN
    GET STACKED DIAGNOSTICS refused = RETURNED_SQLSTATE, said = CONSTRAINT_NAME;
  END;
  IF half = 0 THEN
    RETURN ARRAY[jsonb_build_object('outcome', 'refused', 'state', refused, 'constraint', said)];
  END IF;
  RETURN scheduling_book_halves(p_calls[:half]) || scheduling_book_halves(p_calls[half + 1:]);
END $$;

-- Any number of these calls in one transaction, in their order; p_calls: a list of argument lists. One that is refused leaves the others as
-- they are.
CREATE OR REPLACE FUNCTION scheduling_book_all(p_calls jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  calls jsonb[] := ARRAY(SELECT c FROM jsonb_array_elements(p_calls) WITH ORDINALITY AS x (c, number) ORDER BY x.number);
  answers jsonb[];
  expected text;
BEGIN
  -- One person's requests wait for each other, always in the same order of persons: two lists that share two would block each other.
  PERFORM pg_advisory_xact_lock(o.person) FROM (
    SELECT DISTINCT hashtextextended(c -> 0 ->> 'patient', 7015200) AS person FROM unnest(calls) AS c ORDER BY 1) o;
  answers := scheduling_book_halves(calls);
  FOR number IN 1 .. cardinality(calls) LOOP
    IF answers[number] IS NULL THEN
      answers[number] := (scheduling_book_halves(calls[number:number]))[1];
      -- Whoever stands in the list twice may have taken the last place: "sold out" would send away who has the booking already.
      IF answers[number] ->> 'outcome' = 'sold-out' THEN
        SELECT CASE WHEN b.half_day <> '' AND b.half_day = calls[number] -> 2 ->> 'half_day' THEN 'booking_half_day_once'
                    ELSE 'booking_resident_one_at_a_time' END INTO expected
          FROM scheduling_slot z
          JOIN residents_resident r ON r.key = (calls[number] -> 0 ->> 'patient')::uuid
          JOIN scheduling_booking b ON b.resident_id = r.id AND b.state IN ('booked', 'arrived')
           AND ((b.half_day <> '' AND b.half_day = calls[number] -> 2 ->> 'half_day') OR b.period && tstzrange(z.starts_at, z.ends_at))
         WHERE z.key = (calls[number] -> 0 ->> 'slot')::uuid ORDER BY 1 LIMIT 1;
        IF FOUND THEN
          answers[number] := jsonb_build_object('outcome', 'refused', 'state', '23505', 'constraint', expected);
        END IF;
      END IF;
    END IF;
  END LOOP;
  RETURN to_jsonb(answers);
END $$;
