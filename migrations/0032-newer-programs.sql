-- During an upgrade, a worker of the previous version must leave work to newer ones if it would do it
-- wrongly. Each session announces the version of the schema that its program knows, as
-- `odcs.schema_version`. Programs of versions before 32 announce none.
--
-- The argument is the version that a program must know. For an older one, the row is not updated, so
-- that its claim finds nothing. Work behind this row waits as well, until a newer worker has taken it.
CREATE FUNCTION leave_to_newer_programs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(nullif(current_setting('odcs.schema_version', true), ''), '0')::integer < TG_ARGV[0]::integer THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;

-- Older workers would not compare the packages with those of the lock file.
CREATE TRIGGER composes_with_lock BEFORE UPDATE OF lease_token ON composes FOR EACH ROW
    WHEN (OLD.lease_token IS NULL AND NEW.lease_token IS NOT NULL AND NEW.request ? 'lock')
    EXECUTE FUNCTION leave_to_newer_programs('32');

-- Older workers would answer a question about a package as if it were a dry run.
CREATE TRIGGER questions_of_absence BEFORE UPDATE OF lease_token ON questions FOR EACH ROW
    WHEN (NEW.lease_token IS NOT NULL AND NEW.compose_id IS NOT NULL)
    EXECUTE FUNCTION leave_to_newer_programs('32');
