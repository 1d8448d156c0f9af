-- The first place of a slot that can still be had out of these quotas, its row locked; nothing when there is none, and then no row
-- is locked. Whoever has a place locked at this moment is passed by.
CREATE OR REPLACE FUNCTION scheduling_claim(
  p_slot bigint, p_opens timestamptz, p_quotas text[], p_reach bigint[], p_unit bigint, p_first boolean, p_now timestamptz,
  OUT o_place bigint, OUT o_number smallint, OUT o_quota text)
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE above bigint[];
BEGIN
  SELECT u.path INTO above FROM organizations_organization u WHERE u.id = p_unit;
  SELECT q.id, q.number, q.quota INTO o_place, o_number, o_quota
    FROM scheduling_place q
   WHERE q.slot_id = p_slot AND q.state IN ('free', 'held') AND q.quota = ANY (p_quotas)
     AND (q.state = 'free' OR q.held_until <= p_now)
     AND (q.quota <> 'open' OR p_opens <= p_now OR p_first)
     AND (q.origin_organization_id IS NULL OR q.origin_organization_id = ANY (p_reach) OR q.origin_organization_id = ANY (above))
   ORDER BY array_position(p_quotas, q.quota::text), q.origin_organization_id NULLS LAST, q.number
   LIMIT 1 FOR UPDATE SKIP LOCKED;
END $$;

-- Lets the clinic read the booking's own episode, which holds the appointment and no more. A resident's own booking is the
-- resident's own word for it (p_sight "own"), and a clinic's desk books for whom it sees already: these are opened under the purpose
-- of a handler. Nothing is opened when p_sight is "".
CREATE OR REPLACE FUNCTION scheduling_show(
  p_resident bigint, p_unit bigint, p_consortium bigint, p_booking uuid, p_until timestamptz, p_sight text, p_holder bigint,
  p_basis text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  purpose text := coalesce(current_setting('doorstep.purpose', true), '');
  own boolean := coalesce(p_sight = 'own' OR p_unit = p_holder, false);
BEGIN
  IF p_sight = '' THEN RETURN; END IF;
  IF own THEN
    PERFORM set_config('doorstep.purpose', 'handler', true);
  END IF;
  PERFORM access_open(p_resident, p_unit, p_consortium, 'referral', 'episode', 'booking/' || p_booking::text, '', false, p_until,
                      CASE WHEN own THEN p_basis ELSE '' END, NULL);
  IF own THEN
    PERFORM set_config('doorstep.purpose', purpose, true);
  END IF;
END $$;

-- Going for a place in one call: who it is for, whether this request was answered before, the claim, what the clinic may see,
-- and what is shown of the slot. The plans stay with the session; a dozen statements would be planned for every booking.
-- p_hold turns a hold that still stands into a booking; without it a free place of p_slot is claimed, held until p_until or
-- booked at once. A hold whose time is over at p_now counts as free: nothing has to come by and free it first.
-- o_outcome: taken; earlier (this request has its booking); no-resident, deceased, no-slot, over (begun or stopped), early (open
-- places are not for everybody yet), sold-out, hold-gone. All but taken leave every row as it was and lock none.
CREATE OR REPLACE FUNCTION scheduling_take(
  p_slot uuid, p_hold uuid, p_resident bigint, p_patient uuid, p_request uuid, p_quotas text[], p_reach bigint[], p_unit bigint,
  p_first boolean, p_key uuid, p_until timestamptz, p_now timestamptz, p_user bigint, p_holder bigint, p_anybody boolean,
  p_booking uuid, p_sight text, p_basis text, p_view interval, p_consortium bigint)
RETURNS TABLE (
  o_outcome text, o_earlier bigint, o_resident bigint, o_resident_key uuid, o_resident_name text, o_born date, o_died date,
  o_home bigint, o_resident_consortium bigint, o_place bigint, o_number smallint, o_quota text, o_slot bigint, o_slot_key uuid,
  o_starts timestamptz, o_ends timestamptz, o_unit bigint, o_stop_reason text, o_stopped boolean, o_consortium bigint, o_unit_name text,
  o_schedule bigint, o_schedule_key uuid, o_service text, o_department bigint, o_department_name text, o_expert bigint,
  o_expert_key uuid, o_expert_name text, o_expert_title text, o_expert_specialty text)
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  asked_opens timestamptz;
BEGIN
  IF p_patient IS NOT NULL THEN
    SELECT r.id, r.key, r.name, r.birth_date, r.deceased_on, r.organization_id, r.consortium_id
      INTO o_resident, o_resident_key, o_resident_name, o_born, o_died, o_home, o_resident_consortium
      FROM residents_resident r WHERE r.key = p_patient;
  ELSIF p_resident IS NOT NULL THEN
    SELECT r.id, r.key, r.name, r.birth_date, r.deceased_on, r.organization_id, r.consortium_id
      INTO o_resident, o_resident_key, o_resident_name, o_born, o_died, o_home, o_resident_consortium
      FROM residents_resident r WHERE r.id = p_resident;
  END IF;
  IF o_resident IS NULL AND (p_patient IS NOT NULL OR p_resident IS NOT NULL) THEN
    o_outcome := 'no-resident'; RETURN NEXT; RETURN;
  END IF;
  IF o_died IS NOT NULL THEN
    o_outcome := 'deceased'; RETURN NEXT; RETURN;
  END IF;
  IF p_request IS NOT NULL THEN
    SELECT b.id INTO o_earlier FROM scheduling_booking b WHERE b.hold_key = p_request;
    IF FOUND THEN
      o_outcome := 'earlier'; RETURN NEXT; RETURN;
    END IF;
  END IF;

  IF p_hold IS NOT NULL THEN
    UPDATE scheduling_place q SET state = 'booked', hold_key = NULL, held_until = NULL
     WHERE q.hold_key = p_hold AND q.state = 'held' AND q.held_until > p_now
       AND (p_anybody OR q.held_organization_id = ANY (p_reach) OR (q.held_organization_id IS NULL AND q.held_by_id = p_user))
    RETURNING q.id, q.slot_id, q.number, q.quota INTO o_place, o_slot, o_number, o_quota;
    IF NOT FOUND THEN
      o_outcome := 'hold-gone'; RETURN NEXT; RETURN;
    END IF;
  ELSE
    SELECT z.id, z.starts_at, z.stopped_at IS NOT NULL, z.opens_at INTO o_slot, o_starts, o_stopped, asked_opens
      FROM scheduling_slot z WHERE z.key = p_slot;
    IF NOT FOUND THEN
      o_outcome := 'no-slot'; RETURN NEXT; RETURN;
    END IF;
    IF o_stopped OR o_starts <= p_now THEN
      o_outcome := 'over'; RETURN NEXT; RETURN;
    END IF;
    SELECT c.o_place, c.o_number, c.o_quota INTO o_place, o_number, o_quota
      FROM scheduling_claim(o_slot, asked_opens, p_quotas, p_reach, p_unit, p_first, p_now) c;
    IF o_place IS NULL THEN
      o_outcome := CASE WHEN asked_opens > p_now AND NOT p_first THEN 'early' ELSE 'sold-out' END;
      RETURN NEXT; RETURN;
    END IF;
    UPDATE scheduling_place q
       SET state = CASE WHEN p_until IS NULL THEN 'booked' ELSE 'held' END, hold_key = CASE WHEN p_until IS NULL THEN NULL ELSE p_key END,
           held_until = p_until, held_by_id = p_user, held_organization_id = p_holder
     WHERE q.id = o_place;
  END IF;

  SELECT s.key, s.starts_at, s.ends_at, s.organization_id, s.stop_reason, s.stopped_at IS NOT NULL, s.consortium_id, o.name,
         c.id, c.key, c.service, d.id, d.name, p.id, p.key, p.name, p.title, p.specialty
    INTO o_slot_key, o_starts, o_ends, o_unit, o_stop_reason, o_stopped, o_consortium, o_unit_name,
         o_schedule, o_schedule_key, o_service, o_department, o_department_name,
         o_expert, o_expert_key, o_expert_name, o_expert_title, o_expert_specialty
    FROM scheduling_slot s
    JOIN scheduling_schedule c ON c.id = s.schedule_id
    JOIN organizations_organization o ON o.id = s.organization_id
    JOIN organizations_department d ON d.id = c.department_id
    LEFT JOIN workforce_practitioner p ON p.id = c.practitioner_id
   WHERE s.id = o_slot;

  PERFORM scheduling_show(o_resident, o_unit, p_consortium, p_booking, o_ends + p_view, p_sight, p_holder, p_basis);
  o_outcome := 'taken';
  RETURN NEXT;
END $$;
