-- Whether somebody out of the actor's sight is probably registered already: by the whole number of a document, or by whole
-- phone, whole name with the phone's end, and birth date together. Fragments have no index and find nothing. Answers 'likely',
-- 'none', or 'closed' once the actor has asked too much: 60 different people in an hour, five hits in 15 minutes, or a person
-- who was hit five times in an hour. The same question again within 15 minutes counts once: it is asked while typing.
CREATE OR REPLACE FUNCTION identity_known_elsewhere(p_number uuid, p_phone uuid, p_proof uuid, p_birth date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  asked uuid := coalesce(p_number, p_proof);
  found boolean;
BEGIN
  IF access_user() IS NULL OR cardinality(access_reach()) = 0 THEN
    RAISE EXCEPTION 'question refused' USING ERRCODE = '42501';
  END IF;
  -- An app that was opened for one patient asks of nobody else.
  IF access_only() IS NOT NULL THEN RETURN 'none'; END IF;
  IF p_number IS NULL AND (p_phone IS NULL OR p_proof IS NULL OR p_birth IS NULL) THEN RETURN 'none'; END IF;
  -- One question at a time for a user: parallel ones are counted like others.
  PERFORM pg_advisory_xact_lock(7015103, access_user()::integer);
  IF (SELECT count(DISTINCT fingerprint) FROM identity_question
        WHERE user_id = access_user() AND asked_at > clock_timestamp() - interval '1 hour' AND fingerprint <> asked) >= 60
     OR (SELECT count(DISTINCT fingerprint) FROM identity_question
        WHERE user_id = access_user() AND hit AND asked_at > clock_timestamp() - interval '15 minutes'
          AND fingerprint <> asked) >= 5
     OR (SELECT count(*) FROM identity_question
        WHERE fingerprint = asked AND hit AND asked_at > clock_timestamp() - interval '1 hour') >= 5 THEN
    RETURN 'closed';
  END IF;
  found := EXISTS (
    SELECT 1 FROM residents_identifier n
     WHERE n.index = p_number AND residents_is_document(n.kind) AND n.live AND NOT access_may_see(n.resident_id))
   OR EXISTS (
    SELECT 1 FROM residents_identifier n
      JOIN residents_identifier f ON f.resident_id = n.resident_id AND f.kind = 'phone-proof' AND f.index = p_proof AND f.live
      JOIN residents_resident r ON r.id = n.resident_id AND r.birth_date = p_birth
     WHERE n.index = p_phone AND n.kind = 'phone' AND n.live AND NOT access_may_see(n.resident_id));
  IF NOT EXISTS (SELECT 1 FROM identity_question WHERE user_id = access_user() AND fingerprint = asked
                   AND asked_at > clock_timestamp() - interval '15 minutes') THEN
    INSERT INTO identity_question (user_id, fingerprint, asked_at, hit)
      VALUES (access_user(), asked, clock_timestamp(), found);
  END IF;
  RETURN CASE WHEN found THEN 'likely' ELSE 'none' END;
END $$;
