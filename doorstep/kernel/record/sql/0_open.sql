-- May the actor read a resource that belongs to no resident: what is shared, everybody who is somebody; what a hospital
-- sent for itself (a list, a group, a bundle), that hospital alone.
CREATE OR REPLACE FUNCTION record_open(writer bigint, sensitive boolean) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT access_is_system() OR (access_user() IS NOT NULL AND (NOT sensitive OR writer = ANY (access_record_reach())))
$$;
