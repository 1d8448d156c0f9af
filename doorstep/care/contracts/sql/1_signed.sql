-- Whether a family-doctor contract is in force for a resident on a day, as far as the actor may see it; for statements of other
-- apps, which the site tells this name. The states are those of contracts.states.COUNTING.
CREATE OR REPLACE FUNCTION contracts_is_signed(p_resident bigint, p_day date) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = public AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM contracts_contract c
                  WHERE c.resident_id = p_resident AND c.state IN ('active', 'renew-due', 'renewed')
                    AND c.starts_on <= p_day AND c.ends_on >= p_day);
END $$;
