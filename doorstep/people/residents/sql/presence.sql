-- The kinds of number that an identity document carries or carried; the same list stands in documents.py (FINDING).
CREATE OR REPLACE FUNCTION residents_is_document(p_kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT p_kind IN ('national-id', 'passport', 'hmt-permit', 'foreign-permit', 'old-id', 'old-document') $$;

-- Whether the door is open for a number by one of the second facts ("phone": name and phone's end; "code": the code of the own phone): 0,
-- or less than 0. A person: five failures in 15 minutes, or five for a number in an hour, are enough (-1). A machine in a hall
-- (PRESENCE_TERMINAL) serves one after the other, whose slips are not each other's, and who fails may be anybody: there each second fact is
-- counted by itself, so that what a stranger types closes one way and never both. By one fact a number is closed at this machine after three
-- failures in an hour (-3), and at all machines after five (-4): going from one to the next gives no more guesses. The machine waits 30
-- seconds after each failure beyond the fifth of 15 minutes (-2), and is closed after 20, until they are past or the unit opens it again
-- (-1). What fails at a machine closes no desk: whoever was sent there from the machine is served.
DROP FUNCTION IF EXISTS residents_presence_state(uuid);
CREATE OR REPLACE FUNCTION residents_presence_state(p_number uuid, p_kind text) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  terminal boolean := access_may('PRESENCE_TERMINAL');
  failed integer;
  here integer;
  latest timestamptz;
BEGIN
  SELECT count(*), count(*) FILTER (WHERE user_id = access_user()) INTO failed, here FROM access_presenceattempt
    WHERE number_index = p_number AND at_terminal = terminal AND (NOT terminal OR second IN (p_kind, ''))
      AND tried_at > clock_timestamp() - interval '1 hour';
  IF failed >= 5 THEN RETURN CASE WHEN terminal THEN -4 ELSE -1 END; END IF;
  IF terminal AND here >= 3 THEN RETURN -3; END IF;
  SELECT count(*), max(tried_at) INTO failed, latest FROM access_presenceattempt
    WHERE user_id = access_user() AND set_aside_at IS NULL AND tried_at > clock_timestamp() - interval '15 minutes';
  IF failed >= (CASE WHEN terminal THEN 20 ELSE 5 END) THEN RETURN -1; END IF;
  IF terminal AND failed >= 5 AND latest > clock_timestamp() - interval '30 seconds' THEN RETURN -2; END IF;
  RETURN 0;
END $$;

CREATE OR REPLACE FUNCTION residents_presence_closed(p_number uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT residents_presence_state(p_number, 'phone') < 0
$$;

-- Proves that a resident stands in front of the user: the full number of the id card and a second fact. Returns the
-- proof's id, 0 when the two do not belong together, less than 0 when too many tries have closed the door for a while
-- (residents_presence_state says which door). A number that nobody has and a wrong second fact take the same way and answer
-- alike. The application may not read the tries, nor write proofs.
CREATE OR REPLACE FUNCTION residents_prove_presence(p_number uuid, p_kind text, p_second uuid, p_organization bigint)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  found_resident bigint;
  matched boolean := false;
  proof bigint;
  door integer;
BEGIN
  IF access_user() IS NULL OR NOT p_organization = ANY (access_reach()) THEN
    RAISE EXCEPTION 'presence refused' USING ERRCODE = '42501';
  END IF;
  -- One try at a time for a user and for a number: parallel tries are counted like others.
  PERFORM pg_advisory_xact_lock(7015101, access_user()::integer);
  PERFORM pg_advisory_xact_lock(7015102, hashtext(p_number::text));
  door := residents_presence_state(p_number, p_kind);
  IF door < 0 THEN RETURN door; END IF;
  -- Two countries may have given the same passport number: the holder is then the one whom the second fact fits.
  SELECT n.resident_id INTO found_resident FROM residents_identifier n
    WHERE n.index = p_number AND residents_is_document(n.kind) AND n.live
    ORDER BY EXISTS (SELECT 1 FROM residents_identifier f
      WHERE f.resident_id = n.resident_id AND f.kind = 'phone-proof' AND f.index = p_second AND f.live) DESC
    LIMIT 1;
  IF p_kind = 'code' THEN
    UPDATE residents_presencecode SET used_at = clock_timestamp()
      WHERE resident_id = found_resident AND index = p_second AND used_at IS NULL AND expires_at > clock_timestamp();
    matched := FOUND;
  ELSIF p_kind = 'phone' THEN
    matched := EXISTS (SELECT 1 FROM residents_identifier
      WHERE resident_id = found_resident AND kind = 'phone-proof' AND index = p_second AND live);
  END IF;
  IF NOT matched THEN
    INSERT INTO access_presenceattempt (user_id, number_index, tried_at, at_terminal, organization_id, second)
      VALUES (access_user(), p_number, clock_timestamp(), access_may('PRESENCE_TERMINAL'), p_organization, p_kind);
    RETURN 0;
  END IF;
  INSERT INTO access_presenceproof (resident_id, user_id, organization_id, second_fact, proved_at)
    VALUES (found_resident, access_user(), p_organization, p_kind, statement_timestamp())
    RETURNING id INTO proof;
  RETURN proof;
END $$;

-- The machines of a unit that are closed, since when: for whoever may open them again.
CREATE OR REPLACE FUNCTION residents_closed_terminals(p_organization bigint)
RETURNS TABLE (user_id bigint, failed integer, since timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NOT access_may('TERMINAL_OPEN') OR NOT p_organization = ANY (access_reach()) THEN RETURN; END IF;
  RETURN QUERY SELECT t.user_id, count(*)::integer, max(t.tried_at) FROM access_presenceattempt t
    WHERE t.at_terminal AND t.organization_id = p_organization AND t.set_aside_at IS NULL
      AND t.tried_at > clock_timestamp() - interval '15 minutes'
    GROUP BY t.user_id HAVING count(*) >= 20;
END $$;

-- Opens a machine again; the numbers that were tried there stay counted. Returns how many tries were set aside.
CREATE OR REPLACE FUNCTION residents_open_terminal(p_user bigint, p_organization bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  aside integer;
BEGIN
  IF access_user() IS NULL OR NOT access_may('TERMINAL_OPEN') OR NOT p_organization = ANY (access_reach()) THEN
    RAISE EXCEPTION 'terminal refused' USING ERRCODE = '42501';
  END IF;
  UPDATE access_presenceattempt SET set_aside_at = clock_timestamp(), set_aside_by_id = access_user()
    WHERE user_id = p_user AND at_terminal AND organization_id = p_organization AND set_aside_at IS NULL
      AND tried_at > clock_timestamp() - interval '15 minutes';
  GET DIAGNOSTICS aside = ROW_COUNT;
  RETURN aside;
END $$;
