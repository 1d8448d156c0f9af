-- Who is behind a bearer token of a hospital system: its unit and consortium, and in the same statement what
-- kernel/access/session.bind tells the database of that actor until the end of the transaction. No row: unknown or revoked.
CREATE OR REPLACE FUNCTION site_enter_client(p_hash text, p_day date, p_permissions text, p_registering text)
RETURNS TABLE (o_id bigint, o_name text, o_display text, o_unit bigint, o_unit_name text, o_consortium bigint, o_registers boolean)
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE told text;
BEGIN
  -- One statement, the settings at its end: each statement of its own begins and ends an executor, a tenth of what a read costs. The
  -- consortium by the bounds of its period, not by @>: the few rows of these units are nearer than all that are in force on the day.
  SELECT u.id, u.name, u.display, u.organization_id, u.unit, u.consortium, u.registers,
      set_config('doorstep.user', (-u.id)::text, true) || set_config('doorstep.reach', '{' || u.organization_id || '}', true)
      || set_config('doorstep.record_reach', '{' || u.organization_id || '}', true) || set_config('doorstep.self', '{}', true)
      || set_config('doorstep.purpose', '', true) || set_config('doorstep.post', '', true)
      || set_config('doorstep.permissions', CASE WHEN u.registers THEN p_registering ELSE p_permissions END, true)
    INTO o_id, o_name, o_display, o_unit, o_unit_name, o_consortium, o_registers, told
    FROM (SELECT c.id, c.name, c.display, c.organization_id, o.name AS unit, c.registers,
        (SELECT m.consortium_id FROM organizations_membership m
          WHERE m.organization_id = ANY (o.path) AND coalesce(lower(m.period) <= p_day, true) AND coalesce(upper(m.period) > p_day, true)
          ORDER BY m.organization_id LIMIT 1) AS consortium
      FROM access_apiclient c JOIN organizations_organization o ON o.id = c.organization_id
     WHERE c.token_hash = p_hash AND c.revoked_at IS NULL OFFSET 0) u;
  IF NOT FOUND THEN RETURN; END IF;
  RETURN NEXT;
END $$;

-- Enters as site_enter_client does, when the token still stands for the same system with the same unit and rights as the row p_known
-- that the caller remembers: a statement was prepared with it, and does nothing when this is false. It repeats the query of that
-- function, because a function within a function, a set of rows between them, took a third of the whole; who changes one changes the other.
CREATE OR REPLACE FUNCTION site_enter_again(p_hash text, p_day date, p_permissions text, p_registering text, p_known text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = public SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  entered boolean;
  told text;
BEGIN
  SELECT ROW(u.id, u.name, u.display, u.organization_id, u.unit, u.consortium, u.registers)::text = p_known,
      set_config('doorstep.user', (-u.id)::text, true) || set_config('doorstep.reach', '{' || u.organization_id || '}', true)
      || set_config('doorstep.record_reach', '{' || u.organization_id || '}', true) || set_config('doorstep.self', '{}', true)
      || set_config('doorstep.purpose', '', true) || set_config('doorstep.post', '', true)
      || set_config('doorstep.permissions', CASE WHEN u.registers THEN p_registering ELSE p_permissions END, true)
    INTO entered, told
    FROM (SELECT c.id, c.name, c.display, c.organization_id, o.name AS unit, c.registers,
        (SELECT m.consortium_id FROM organizations_membership m
          WHERE m.organization_id = ANY (o.path) AND coalesce(lower(m.period) <= p_day, true) AND coalesce(upper(m.period) > p_day, true)
          ORDER BY m.organization_id LIMIT 1) AS consortium
      FROM access_apiclient c JOIN organizations_organization o ON o.id = c.organization_id
     WHERE c.token_hash = p_hash AND c.revoked_at IS NULL OFFSET 0) u;
  RETURN coalesce(entered, false);
END $$;

-- Whether a family-doctor contract is in force on a day: the question of the rule of precedence, which knows no contracts.
CREATE OR REPLACE FUNCTION scheduling_signed(p_resident bigint, p_day date) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = public AS $$
BEGIN
  RETURN contracts_is_signed(p_resident, p_day);
END $$;
