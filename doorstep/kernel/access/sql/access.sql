-- Who acts, as the transaction was told by access.session.bind. Nothing set means nobody, and nobody sees nothing.
CREATE OR REPLACE FUNCTION access_reach() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('doorstep.reach', true), '')::bigint[], '{}') $$;

CREATE OR REPLACE FUNCTION access_record_reach() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('doorstep.record_reach', true), '')::bigint[], '{}') $$;

CREATE OR REPLACE FUNCTION access_self() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('doorstep.self', true), '')::bigint[], '{}') $$;

-- The one resident whom an app was opened for: its token sees nobody else, whatever its person may see.
CREATE OR REPLACE FUNCTION access_only() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('doorstep.only', true), '')::bigint $$;

CREATE OR REPLACE FUNCTION access_user() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('doorstep.user', true), '')::bigint $$;

CREATE OR REPLACE FUNCTION access_is_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(current_setting('doorstep.purpose', true), '') <> '' $$;

-- Whether the actor's role carries a permission; the system carries all. For functions that answer more than rows do.
CREATE OR REPLACE FUNCTION access_may(p_permission text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT access_is_system()
     OR p_permission = ANY (coalesce(nullif(current_setting('doorstep.permissions', true), '')::text[], '{}')) $$;

-- May the actor know that this resident is there: own record, a live care relationship, or a named system purpose.
CREATE OR REPLACE FUNCTION access_may_see(resident bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF access_is_system() THEN RETURN true; END IF;
  IF access_only() <> resident THEN RETURN false; END IF;
  IF resident = ANY (access_self()) THEN RETURN true; END IF;
  IF EXISTS (
    SELECT 1 FROM access_carerelationship r
    WHERE r.resident_id = resident AND r.organization_id = ANY (access_record_reach())
      AND r.opened_at <= statement_timestamp() AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp())) THEN
    RETURN true;
  END IF;
  -- A record that was merged: whoever may see the person may see what still names the former record.
  RETURN coalesce((SELECT access_may_see(f.standing_id) FROM access_formerresident f WHERE f.former_id = resident), false);
END $$;

-- The mark of the session in which a person acts; '' for machines, jobs and the system.
CREATE OR REPLACE FUNCTION access_session() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(current_setting('doorstep.session', true), '') $$;

-- Until when the acting person has opened this resident's sensitive entries, in this post and this session; NULL: not opened.
CREATE OR REPLACE FUNCTION access_unveiled(resident bigint) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT max(o.closes_at) FROM access_sensitiveopening o
  WHERE o.resident_id = resident AND o.user_id = access_user() AND o.closes_at > statement_timestamp()
    AND o.session = access_session() AND o.session <> ''
    AND o.post_id = nullif(current_setting('doorstep.post', true), '')::bigint
$$;

-- May the actor read what is sensitive of this resident as a whole, whoever wrote it: the resident, a relationship that was opened
-- for it (an emergency), and a person who has opened it for a purpose.
CREATE OR REPLACE FUNCTION access_may_read_sensitive(resident bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF access_is_system() OR resident = ANY (access_self()) THEN RETURN true; END IF;
  RETURN access_unveiled(resident) IS NOT NULL OR EXISTS (
    SELECT 1 FROM access_carerelationship r
    WHERE r.resident_id = resident AND r.organization_id = ANY (access_record_reach()) AND r.sensitive AND r.scope = 'full'
      AND r.opened_at <= statement_timestamp() AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp()));
END $$;

-- May the actor read this entry: the relationship's scope must cover its episode or its category. A sensitive entry is read
-- by the resident, by the system of the hospital that wrote it, through a relationship opened for sensitive entries
-- (an emergency), and by a person who has opened the resident's sensitive entries for a purpose: not by the colleagues of
-- who wrote it, unless they open them too.
CREATE OR REPLACE FUNCTION access_may_read(resident bigint, writer bigint, entry_episode text, entry_category text,
                                           sensitive boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF access_is_system() THEN RETURN true; END IF;
  IF access_only() <> resident THEN RETURN false; END IF;
  IF resident = ANY (access_self()) THEN RETURN true; END IF;
  -- The id of a hospital system is negative: what it wrote itself stays its own.
  IF access_may_read.sensitive AND access_user() < 0 AND writer = ANY (access_record_reach()) THEN
    RETURN access_may_see(resident);
  END IF;
  IF EXISTS (
    SELECT 1 FROM access_carerelationship r
    WHERE r.resident_id = resident AND r.organization_id = ANY (access_record_reach())
      AND r.opened_at <= statement_timestamp() AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp())
      AND (NOT access_may_read.sensitive OR r.sensitive OR access_unveiled(access_may_read.resident) IS NOT NULL)
      AND (r.scope = 'full'
           OR (entry_episode <> '' AND r.episode = entry_episode)
           OR (r.scope = 'order' AND r.category <> '' AND r.category = entry_category))) THEN
    RETURN true;
  END IF;
  -- What a unit wrote itself its systems read again whatever the relationship covers, and its people where they treat (not where they
  -- only report on an order): a hospital's results arrive while it knows of the resident only what came along with a referral.
  IF NOT access_may_read.sensitive AND writer = ANY (access_record_reach()) AND (
      access_user() < 0 AND access_may_see(resident)
      OR EXISTS (SELECT 1 FROM access_carerelationship r
        WHERE r.resident_id = resident AND r.organization_id = ANY (access_record_reach()) AND r.scope = 'episode'
          AND r.opened_at <= statement_timestamp() AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp()))) THEN
    RETURN true;
  END IF;
  RETURN coalesce((SELECT access_may_read(f.standing_id, writer, entry_episode, entry_category, access_may_read.sensitive)
                   FROM access_formerresident f WHERE f.former_id = resident), false);
END $$;

-- Those of these residents whose ordinary entries may all be read, by relationships alone: what access_may_read says of each of them, asked
-- in one go. Of the others access_may_read has to be asked.
CREATE OR REPLACE FUNCTION access_whole(p_residents bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public ROWS 500 AS $$
BEGIN
  IF access_is_system() THEN
    RETURN QUERY SELECT DISTINCT r FROM unnest(p_residents) r;
    RETURN;
  END IF;
  RETURN QUERY SELECT DISTINCT r.resident_id FROM access_carerelationship r
    WHERE r.resident_id = ANY (p_residents) AND r.organization_id = ANY (access_record_reach()) AND r.scope = 'full'
      AND r.opened_at <= statement_timestamp() AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp())
      AND (access_only() IS NULL OR access_only() = r.resident_id);
END $$;

-- Whom the actor may see, as long as they are few: `whole` are residents whose ordinary entries may all be read, `partly` the others of
-- whom something may be read, as access_may_read says. NULL for the system and for more than p_most: who asks then asks of each row.
-- Searches start from these residents, or pass over everybody else without asking.
CREATE OR REPLACE FUNCTION access_sight(p_most integer, OUT whole bigint[], OUT partly bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
DECLARE looked integer;
BEGIN
  IF access_is_system() THEN RETURN; END IF;
  SELECT count(*), coalesce(array_agg(DISTINCT r.resident_id) FILTER (WHERE r.live AND r.scope = 'full'), '{}'),
      coalesce(array_agg(DISTINCT r.resident_id) FILTER (WHERE r.live AND r.scope <> 'full'), '{}') || access_self()
    INTO looked, whole, partly
    FROM (SELECT c.resident_id, c.scope, c.opened_at <= statement_timestamp() AND (c.closes_at IS NULL OR c.closes_at > statement_timestamp()) AS live
            FROM access_carerelationship c WHERE c.organization_id = ANY (access_record_reach()) LIMIT 2 * p_most + 1) r;
  IF looked > 2 * p_most OR cardinality(whole) + cardinality(partly) > p_most THEN
    whole := NULL;
    partly := NULL;
    RETURN;
  END IF;
  -- Records that were merged: whoever may see the person may see something of what still names the former record.
  partly := partly || ARRAY(
    WITH RECURSIVE chain (id) AS (
      SELECT f.former_id FROM access_formerresident f WHERE f.standing_id = ANY (whole || partly)
      UNION SELECT f.former_id FROM access_formerresident f JOIN chain c ON f.standing_id = c.id)
    SELECT c.id FROM chain c);
  IF access_only() IS NOT NULL THEN
    whole := ARRAY(SELECT access_only() WHERE access_only() = ANY (whole));
    partly := ARRAY(SELECT access_only() WHERE access_only() = ANY (partly));
  END IF;
END $$;

-- Whether the actor's units have, or had, relationships with at most so many residents, of whom many come again and again; the system
-- sees everybody.
CREATE OR REPLACE FUNCTION access_knows_few(p_most integer) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  RETURN NOT access_is_system() AND (SELECT count(*) <= p_most FROM (SELECT DISTINCT c.resident_id
    FROM unnest(access_record_reach()) AS u (id), LATERAL (
      SELECT DISTINCT c.resident_id FROM access_carerelationship c WHERE c.organization_id = u.id ORDER BY c.resident_id LIMIT p_most + 1) c) k);
END $$;

-- Everybody of whom the actor might read anything: who has, or had, a relationship with the actor's units, the actor, and the records
-- that were merged into theirs. NULL for the system and for more than p_most residents. Wider than the wall, which is asked afterwards.
CREATE OR REPLACE FUNCTION access_acquainted(p_most integer) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  found bigint[];
BEGIN
  IF access_is_system() THEN RETURN NULL; END IF;
  found := ARRAY(SELECT c.resident_id FROM unnest(access_record_reach()) AS u (id), LATERAL (
    SELECT DISTINCT c.resident_id FROM access_carerelationship c WHERE c.organization_id = u.id ORDER BY c.resident_id LIMIT p_most + 1) c);
  IF cardinality(access_record_reach()) > 1 THEN
    found := ARRAY(SELECT DISTINCT k.id FROM unnest(found) AS k (id));
  END IF;
  IF cardinality(found) > p_most THEN RETURN NULL; END IF;
  found := found || access_self();
  RETURN found || ARRAY(
    WITH RECURSIVE chain (id) AS (
      SELECT f.former_id FROM unnest(found) AS k (id) JOIN access_formerresident f ON f.standing_id = k.id
      UNION SELECT f.former_id FROM access_formerresident f JOIN chain c ON f.standing_id = c.id)
    SELECT c.id FROM chain c);
END $$;

-- The only way to open sensitive entries: a person whose role may, who sees the whole record, who says why. It ends with the
-- session, with the post, with the relationship, after four hours, or when the person closes it, whichever comes first.
CREATE OR REPLACE FUNCTION access_unveil(p_resident bigint, p_purpose text, p_words text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  unit bigint;
  ends timestamptz;
BEGIN
  SELECT r.organization_id, least(statement_timestamp() + interval '4 hours', coalesce(r.closes_at, 'infinity')) INTO unit, ends
    FROM access_carerelationship r
    WHERE r.resident_id = p_resident AND r.organization_id = ANY (access_record_reach()) AND r.scope = 'full'
      AND r.opened_at <= statement_timestamp() AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp())
    ORDER BY 2 DESC LIMIT 1;
  IF unit IS NULL OR coalesce(access_user(), 0) <= 0 OR access_session() = '' OR NOT access_may('SENSITIVE_OPEN')
     OR length(trim(p_words)) < 4 THEN
    RAISE EXCEPTION 'opening refused' USING ERRCODE = '42501';
  END IF;
  INSERT INTO access_sensitiveopening (resident_id, user_id, post_id, organization_id, session, purpose, words, opened_at, closes_at)
    VALUES (p_resident, access_user(), nullif(current_setting('doorstep.post', true), '')::bigint, unit, access_session(),
      p_purpose, left(trim(p_words), 400), statement_timestamp(), ends);
  RETURN ends;
END $$;

-- Closing what the acting person opened of a resident; returns how many openings ended.
CREATE OR REPLACE FUNCTION access_veil(p_resident bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE closed integer;
BEGIN
  UPDATE access_sensitiveopening SET closes_at = statement_timestamp()
    WHERE resident_id = p_resident AND user_id = access_user() AND closes_at > statement_timestamp();
  GET DIAGNOSTICS closed = ROW_COUNT;
  RETURN closed;
END $$;

-- Row tests for work that carries its own organisations: no look-up, so a list of 50 costs nothing.
CREATE OR REPLACE FUNCTION access_handles(VARIADIC organizations bigint[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT access_is_system() OR organizations && access_reach() $$;

-- Whether a visit may begin without another proof: by the user's own of the last 30 minutes; for whoever this unit itself
-- registered within a day (somebody without a number cannot prove it again, and who registers is seldom who treats); by a contract.
CREATE OR REPLACE FUNCTION access_may_begin_visit(p_resident bigint, p_organization bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT p_organization = ANY (access_reach()) AND (
    EXISTS (SELECT 1 FROM access_presenceproof p
            WHERE p.resident_id = p_resident AND p.organization_id = p_organization
              AND ((p.user_id = access_user() AND p.proved_at > statement_timestamp() - interval '30 minutes')
                OR (p.second_fact = 'registered' AND p.proved_at > statement_timestamp() - interval '1 day')))
    OR EXISTS (SELECT 1 FROM access_carerelationship r
               WHERE r.resident_id = p_resident AND r.organization_id = ANY (access_record_reach())
                 AND r.reason = 'contract' AND r.scope = 'full' AND r.opened_at <= statement_timestamp()
                 AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp())))
$$;

-- The only way to open a care relationship. The application's role may not insert the row itself.
CREATE OR REPLACE FUNCTION access_open(
  p_resident bigint, p_organization bigint, p_consortium bigint, p_reason text, p_scope text, p_episode text,
  p_category text, p_sensitive boolean, p_closes_at timestamptz, p_basis text, p_presence bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  allowed boolean := access_is_system();
  opened bigint;
BEGIN
  IF NOT allowed AND p_reason IN ('visit', 'contract') THEN
    -- Presence, proved a moment ago by the same user for the same unit; or what lets a unit see somebody without it.
    allowed := p_organization = ANY (access_reach()) AND (
      EXISTS (SELECT 1 FROM access_presenceproof p
              WHERE p.id = p_presence AND p.resident_id = p_resident AND p.user_id = access_user()
                AND p.organization_id = p_organization AND p.proved_at > statement_timestamp() - interval '30 minutes')
      OR (p_reason = 'visit' AND access_may_begin_visit(p_resident, p_organization)));
  ELSIF NOT allowed AND p_reason IN ('referral', 'order', 'consultation', 'return') THEN
    -- A sender passes on only what the sender has: a full relationship passes anything, a narrower one its own episode.
    allowed := EXISTS (
      SELECT 1 FROM access_carerelationship r
      WHERE r.resident_id = p_resident AND r.organization_id = ANY (access_record_reach())
        AND r.opened_at <= statement_timestamp() AND (r.closes_at IS NULL OR r.closes_at > statement_timestamp())
        AND r.reason <> 'emergency'
        AND (NOT p_sensitive OR r.sensitive)
        AND (r.scope = 'full' OR (p_scope <> 'full' AND r.episode = p_episode AND p_episode <> '')));
  ELSIF NOT allowed AND p_reason = 'emergency' THEN
    allowed := p_organization = ANY (access_record_reach()) AND length(trim(p_basis)) >= 10
      AND p_closes_at <= statement_timestamp() + interval '24 hours 1 minute';
  END IF;
  IF NOT allowed THEN
    RAISE EXCEPTION 'care relationship refused' USING ERRCODE = '42501';
  END IF;
  INSERT INTO access_carerelationship (key, resident_id, organization_id, consortium_id, reason, scope, episode,
      category, sensitive, opened_at, closes_at, opened_by_id, basis)
    VALUES (gen_random_uuid(), p_resident, p_organization, p_consortium, p_reason, p_scope, p_episode, p_category,
      p_sensitive, statement_timestamp(), p_closes_at, access_user(), p_basis)
    RETURNING id INTO opened;
  RETURN opened;
END $$;

-- Closing keeps the row: only its end is written, and only by the unit that holds it or by a party of its episode.
CREATE OR REPLACE FUNCTION access_close(p_resident bigint, p_reason text, p_episode text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE closed integer;
BEGIN
  UPDATE access_carerelationship SET closes_at = statement_timestamp()
    WHERE resident_id = p_resident AND reason = p_reason AND episode = p_episode
      AND (closes_at IS NULL OR closes_at > statement_timestamp())
      AND (access_is_system() OR organization_id = ANY (access_record_reach())
           OR (p_episode <> '' AND access_may_see(p_resident)));
  GET DIAGNOSTICS closed = ROW_COUNT;
  RETURN closed;
END $$;

-- The same for one unit of several that see the resident for one episode: a village gives back what was put into its hands.
CREATE OR REPLACE FUNCTION access_close_of(p_resident bigint, p_reason text, p_episode text, p_organization bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE closed integer;
BEGIN
  UPDATE access_carerelationship SET closes_at = statement_timestamp()
    WHERE resident_id = p_resident AND reason = p_reason AND episode = p_episode AND organization_id = p_organization
      AND (closes_at IS NULL OR closes_at > statement_timestamp())
      AND (access_is_system() OR organization_id = ANY (access_record_reach())
           OR (p_episode <> '' AND access_may_see(p_resident)));
  GET DIAGNOSTICS closed = ROW_COUNT;
  RETURN closed;
END $$;

-- The same with an end that is still to come: nothing is lengthened by it.
CREATE OR REPLACE FUNCTION access_close_by(p_resident bigint, p_reason text, p_episode text, p_until timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE closed integer;
BEGIN
  UPDATE access_carerelationship SET closes_at = greatest(p_until, statement_timestamp())
    WHERE resident_id = p_resident AND reason = p_reason AND episode = p_episode
      AND (closes_at IS NULL OR closes_at > greatest(p_until, statement_timestamp()))
      AND (access_is_system() OR organization_id = ANY (access_record_reach())
           OR (p_episode <> '' AND access_may_see(p_resident)));
  GET DIAGNOSTICS closed = ROW_COUNT;
  RETURN closed;
END $$;

-- Who a resident is now: the record itself, or the one that it was merged into.
CREATE OR REPLACE FUNCTION access_standing(resident bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  WITH RECURSIVE chain (id) AS (
    SELECT resident UNION SELECT f.standing_id FROM access_formerresident f JOIN chain c ON f.former_id = c.id)
  SELECT c.id FROM chain c WHERE NOT EXISTS (SELECT 1 FROM access_formerresident f WHERE f.former_id = c.id)
$$;

-- Every record that was merged into this one, directly or through another.
CREATE OR REPLACE FUNCTION access_formers(resident bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  WITH RECURSIVE chain (id) AS (
    SELECT f.former_id FROM access_formerresident f WHERE f.standing_id = resident
    UNION SELECT f.former_id FROM access_formerresident f JOIN chain c ON f.standing_id = c.id)
  SELECT id FROM chain
$$;

-- Merging: the only way to make a record a former one and to give its care relationships to the person's other record.
-- Returns the relationships that moved. Only under the purpose of merging, which an action takes after its own checks.
CREATE OR REPLACE FUNCTION access_merge(p_former bigint, p_standing bigint) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF coalesce(current_setting('doorstep.purpose', true), '') <> 'merge' OR p_former = p_standing
     OR EXISTS (SELECT 1 FROM access_formerresident WHERE former_id = p_standing) THEN
    RAISE EXCEPTION 'merge refused' USING ERRCODE = '42501';
  END IF;
  INSERT INTO access_formerresident (former_id, standing_id, since) VALUES (p_former, p_standing, statement_timestamp())
    ON CONFLICT (former_id) DO NOTHING;
  IF (SELECT standing_id FROM access_formerresident WHERE former_id = p_former) <> p_standing THEN
    RAISE EXCEPTION 'merge refused' USING ERRCODE = '42501';
  END IF;
  RETURN QUERY UPDATE access_carerelationship SET resident_id = p_standing WHERE resident_id = p_former RETURNING id;
END $$;

-- Parting again: these relationships go back, and the former record stands for itself.
CREATE OR REPLACE FUNCTION access_unmerge(p_former bigint, p_standing bigint, p_relationships bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE returned integer;
BEGIN
  DELETE FROM access_formerresident WHERE former_id = p_former AND standing_id = p_standing
    AND coalesce(current_setting('doorstep.purpose', true), '') = 'merge';
  IF NOT FOUND THEN RAISE EXCEPTION 'parting refused' USING ERRCODE = '42501'; END IF;
  UPDATE access_carerelationship SET resident_id = p_former
    WHERE id = ANY (p_relationships) AND resident_id = p_standing;
  GET DIAGNOSTICS returned = ROW_COUNT;
  RETURN returned;
END $$;
