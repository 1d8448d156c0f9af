-- The kinds of number that an identity document carries or carried; the same list stands in documents.py (FINDING).
CREATE OR REPLACE FUNCTION residents_is_document(p_kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT p_kind IN ('national-id', 'passport', 'hmt-permit', 'foreign-permit', 'old-id', 'old-document') $$;

-- Proves that a resident stands in front of the user: the full number of the id card and a second fact. Returns the
-- proof's id, 0 when the two do not belong together, -1 when too many tries have closed the door for a while.
-- A number that nobody has and a wrong second fact take the same way and answer alike. The application may not read
-- the tries, nor write proofs; five failures of a user in 15 minutes, or five for a number in an hour, are enough.
CREATE OR REPLACE FUNCTION residents_prove_presence(p_number uuid, p_kind text, p_second uuid, p_organization bigint)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  found_resident bigint;
  matched boolean := false;
  proof bigint;
BEGIN
  IF access_user() IS NULL OR NOT p_organization = ANY (access_reach()) THEN
    RAISE EXCEPTION 'presence refused' USING ERRCODE = '42501';
  END IF;
  -- One try at a time for a user and for a number: parallel tries are counted like others.
  PERFORM pg_advisory_xact_lock(7015101, access_user()::integer);
  PERFORM pg_advisory_xact_lock(7015102, hashtext(p_number::text));
  IF residents_presence_closed(p_number) THEN RETURN -1; END IF;
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
    INSERT INTO access_presenceattempt (user_id, number_index, tried_at)
      VALUES (access_user(), p_number, clock_timestamp());
    RETURN 0;
  END IF;
  INSERT INTO access_presenceproof (resident_id, user_id, organization_id, second_fact, proved_at)
    VALUES (found_resident, access_user(), p_organization, p_kind, statement_timestamp())
    RETURNING id INTO proof;
  RETURN proof;
END $$;

CREATE OR REPLACE FUNCTION residents_presence_closed(p_number uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT (SELECT count(*) FROM access_presenceattempt
            WHERE user_id = access_user() AND tried_at > clock_timestamp() - interval '15 minutes') >= 5
      OR (SELECT count(*) FROM access_presenceattempt
            WHERE number_index = p_number AND tried_at > clock_timestamp() - interval '1 hour') >= 5
$$;
