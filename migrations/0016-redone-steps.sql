-- A platform that is done waits again if its image is gone from the registry before the manifest list
-- is written. A worker says why its node builds no images.
ALTER TABLE workers ADD COLUMN node_problem text;

CREATE OR REPLACE FUNCTION build_steps_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN ((0, 0), (0, 1), (0, 2), (0, 4), (1, 0), (1, 2), (1, 4), (2, 0)) THEN
        RAISE EXCEPTION 'step % cannot go from state % to state %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'build_steps_transition';
    END IF;
    IF NEW.state = 1 THEN
        UPDATE builds SET state = 1, time_started = now() WHERE id = NEW.build_id AND state = 0;
    END IF;
    PERFORM pg_notify(TG_TABLE_SCHEMA, 'step ' || NEW.state || ' ' || NEW.id);
    RETURN NULL;
END
$$;
