-- Rooms for the months of the tables that are partitioned by month (kernel/database/months.py): the last one, this one and
-- the next three, and every month of which rows lie in the default partition, where nothing is ever refused. A month is one
-- of China. Returns how many rooms were made. The application may call it; it can make nothing else.
CREATE OR REPLACE FUNCTION database_months() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'Asia/Shanghai' SET lock_timeout = '3s' AS $$
DECLARE
    parent record;
    month timestamptz;
    room text;
    rest_holds boolean;
    made integer := 0;
BEGIN
    FOR parent IN
        SELECT c.relname AS name, a.attname AS key, d.relname AS rest
          FROM pg_partitioned_table p
          JOIN pg_class c ON c.oid = p.partrelid
          JOIN pg_class d ON d.oid = p.partdefid
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
         WHERE p.partstrat = 'r' AND c.relnamespace = 'public'::regnamespace
         ORDER BY c.relname
    LOOP
        FOR month IN EXECUTE format(
            'SELECT date_trunc(''month'', now()) + make_interval(months => step) FROM generate_series(-1, 3) AS step'
            ' UNION SELECT DISTINCT date_trunc(''month'', %1$I) FROM %2$I ORDER BY 1', parent.key, parent.rest)
        LOOP
            room := parent.name || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(quote_ident(room)) IS NOT NULL;
            EXECUTE format('SELECT EXISTS (SELECT FROM %1$I WHERE %2$I >= $1 AND %2$I < $1 + interval ''1 month'')',
                parent.rest, parent.key) INTO rest_holds USING month;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', room, parent.name);
            IF rest_holds THEN
                EXECUTE format(
                    'WITH moved AS (DELETE FROM %1$I WHERE %2$I >= $1 AND %2$I < $1 + interval ''1 month'' RETURNING *)'
                    ' INSERT INTO %3$I SELECT * FROM moved', parent.rest, parent.key, room) USING month;
            END IF;
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', room);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent.name, room, month, month + interval '1 month');
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;
