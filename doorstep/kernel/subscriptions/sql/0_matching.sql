-- Which subscriptions a change concerns: each parsed search is asked of the rows that were just written, by their numbers, in
-- the index of searches; nothing else is looked at. Runs with the owner's eyes and without the wall: what the client may see is
-- asked later as the client. A search that fails stops its subscription, never the change. Returns the subscriptions.
CREATE OR REPLACE FUNCTION subscriptions_note(p_ids bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public AS $$
DECLARE
  purpose text := coalesce(current_setting('doorstep.purpose', true), '');
  one record;
  hits integer;
BEGIN
  PERFORM set_config('doorstep.purpose', 'exchange', true);
  FOR one IN SELECT s.id, s.organization_id, p.type, p.terms, p.changed FROM subscriptions_subscription s
      CROSS JOIN LATERAL (
        SELECT s.type::text, s.terms, s.changed::text[] UNION ALL
        SELECT a ->> 'type', a -> 'terms', ARRAY(SELECT jsonb_array_elements_text(a -> 'changed')) FROM jsonb_array_elements(s.also) a
      ) p (type, terms, changed)
      WHERE s.state <> 'off' AND p.type IN (SELECT r.type FROM record_resource r WHERE r.id = ANY (p_ids))
      ORDER BY s.id LOOP
    BEGIN
      EXECUTE format('INSERT INTO subscriptions_match (subscription_id, organization_id, type, fhir_id, version, at)'
        ' SELECT $1, $2, r.type, r.fhir_id, r.version, r.updated_at FROM record_resource r'
        ' WHERE r.id = ANY ($3) AND r.type = $4 AND NOT r.deleted'
        '   AND (cardinality($5) = 0 OR subscriptions_changed(r.id, r.version, r.content, $5)) AND %s'
        ' ORDER BY array_position($3, r.id)', record_conditions(one.terms, 'r'))
        USING one.id, one.organization_id, p_ids, one.type, one.changed;
      GET DIAGNOSTICS hits = ROW_COUNT;
    EXCEPTION WHEN OTHERS THEN
      -- Its job reads this and stops it.
      hits := 1;
      UPDATE subscriptions_subscription SET error = left('criteria: ' || SQLERRM, 400) WHERE id = one.id;
    END;
    IF hits > 0 THEN RETURN NEXT one.id; END IF;
  END LOOP;
  PERFORM set_config('doorstep.purpose', purpose, true);
END $$;

-- Whether one of these elements is not what it was in the version before; a first version has changed in all of them.
CREATE OR REPLACE FUNCTION subscriptions_changed(p_resource bigint, p_version integer, p_content jsonb, p_elements text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT p_version = 1 OR EXISTS (
    SELECT 1 FROM record_resourceversion v, unnest(p_elements) AS e (name)
     WHERE v.resource_id = p_resource AND v.version = p_version - 1 AND v.content -> e.name IS DISTINCT FROM p_content -> e.name)
$$;

-- The types that somebody listens to, for the writer of resources to look at: kept equal to the subscriptions that stand.
CREATE OR REPLACE FUNCTION subscriptions_watch() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  -- One at a time: the one who waited sees what the other has written.
  PERFORM pg_advisory_xact_lock(7015110);
  DELETE FROM record_watch w WHERE w.type NOT IN (
    SELECT s.type FROM subscriptions_subscription s WHERE s.state <> 'off' UNION ALL
    SELECT a ->> 'type' FROM subscriptions_subscription s, jsonb_array_elements(s.also) a WHERE s.state <> 'off');
  INSERT INTO record_watch (type)
    SELECT s.type FROM subscriptions_subscription s WHERE s.state <> 'off' UNION
    SELECT a ->> 'type' FROM subscriptions_subscription s, jsonb_array_elements(s.also) a WHERE s.state <> 'off'
    ON CONFLICT DO NOTHING;
END $$;

-- Subscriptions that have something to do now: matches, a try that is due, a greeting, a heartbeat, an end.
CREATE OR REPLACE FUNCTION subscriptions_due(p_now timestamptz) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT s.id FROM subscriptions_subscription s WHERE s.state <> 'off' AND (
    s.ends_at <= p_now
    OR (s.state <> 'requested' AND EXISTS (SELECT 1 FROM subscriptions_match m WHERE m.subscription_id = s.id))
    OR (s.state IN ('active', 'requested') AND (s.next_try_at IS NULL OR s.next_try_at <= p_now) AND (
      s.state = 'requested'
      OR s.heartbeat IS NOT NULL AND coalesce(s.last_sent_at, s.state_at) + make_interval(secs => s.heartbeat) <= p_now
      OR EXISTS (SELECT 1 FROM subscriptions_notification n WHERE n.subscription_id = s.id AND n.state = 'waiting'))))
  ORDER BY s.id
$$;
