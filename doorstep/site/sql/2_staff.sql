-- Who a member of staff is today: every post of a known role, with its unit, the units below where the role cascades, and the
-- consortium; and, in the same statement, what kernel/access/session.bind tells the database of the actor in the present post (the
-- chosen one, else the first). p_roles: role -> {"cascades", "sees", "may" (its permissions as an array's text)}.
-- No row: no post today, and nothing is reachable. o_silent: for how many seconds the clocks that warn and escalate have not gone well.
DROP FUNCTION IF EXISTS site_enter_staff(bigint, date, bigint, text, json);
CREATE OR REPLACE FUNCTION site_enter_staff(p_user bigint, p_day date, p_post bigint, p_session text, p_roles json)
RETURNS TABLE (o_id bigint, o_role text, o_unit bigint, o_unit_name text, o_department text, o_person bigint, o_person_name text,
  o_below bigint[], o_consortium bigint, o_silent integer)
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
DECLARE
  post record;
  role json;
  reach text := '{}';
  records text := '{}';
  may text := '{}';
  present bigint;
BEGIN
  o_silent := (SELECT extract(epoch FROM statement_timestamp() - p.at)::integer FROM jobs_pulse p WHERE p.name = 'clocks');
  FOR post IN
    SELECT p.id, p.role, u.id AS unit, u.name AS unit_name, u.path, coalesce(d.name, '') AS department, w.id AS person,
           w.name AS person_name
      FROM workforce_practitioner w
      JOIN workforce_post p ON p.practitioner_id = w.id
      JOIN organizations_organization u ON u.id = p.organization_id
      LEFT JOIN organizations_department d ON d.id = p.department_id
     WHERE w.user_id = p_user AND p.period @> p_day
     ORDER BY p.id
  LOOP
    role := p_roles -> post.role;
    CONTINUE WHEN role IS NULL;
    o_id := post.id; o_role := post.role; o_unit := post.unit; o_unit_name := post.unit_name; o_department := post.department;
    o_person := post.person; o_person_name := post.person_name;
    o_below := ARRAY[post.unit];
    IF (role ->> 'cascades')::boolean THEN
      o_below := ARRAY(SELECT o.id FROM organizations_organization o WHERE o.path @> ARRAY[post.unit] ORDER BY o.id);
    END IF;
    SELECT m.consortium_id INTO o_consortium FROM organizations_membership m
     WHERE m.organization_id = ANY (post.path) AND m.period @> p_day ORDER BY m.organization_id LIMIT 1;
    IF present IS NULL OR post.id = p_post THEN
      present := post.id;
      reach := o_below::text;
      records := CASE WHEN (role ->> 'sees')::boolean THEN reach ELSE '{}' END;
      may := role ->> 'may';
    END IF;
    RETURN NEXT;
  END LOOP;
  PERFORM set_config('doorstep.user', p_user::text, true), set_config('doorstep.reach', reach, true),
          set_config('doorstep.record_reach', records, true), set_config('doorstep.self', '{}', true),
          set_config('doorstep.purpose', '', true), set_config('doorstep.post', coalesce(present::text, ''), true),
          set_config('doorstep.permissions', may, true), set_config('doorstep.session', p_session, true),
          set_config('doorstep.only', '', true);
END $$;
