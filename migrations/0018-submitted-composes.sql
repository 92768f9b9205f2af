-- The one place for everything that a new compose must do: be recorded and be announced. It runs once
-- for each statement, because one statement inserts the composes of many requests. The notification is
-- a hint on the channel that has the schema's name. Its text is `STATE ID`.
CREATE FUNCTION composes_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (compose_id, state, compose) SELECT n.id, n.state, to_jsonb(n) FROM submitted n ORDER BY n.id;
    PERFORM pg_notify(TG_TABLE_SCHEMA, n.state || ' ' || n.id) FROM submitted n;
    RETURN NULL;
END
$$;

DROP TRIGGER composes_submitted ON composes;
CREATE TRIGGER composes_submitted AFTER INSERT ON composes
    REFERENCING NEW TABLE AS submitted FOR EACH STATEMENT EXECUTE FUNCTION composes_submitted();

-- The one place for everything that a change of state must do, in whichever statement: be legal, be
-- recorded and be announced.
CREATE OR REPLACE FUNCTION composes_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN ((0, 1), (0, 4), (1, 0), (1, 2), (1, 4), (2, 3), (4, 3)) THEN
        RAISE EXCEPTION 'compose % cannot go from state % to state %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'composes_transition';
    END IF;
    INSERT INTO events (compose_id, state, compose) VALUES (NEW.id, NEW.state, to_jsonb(NEW));
    IF NEW.state = 3 THEN
        INSERT INTO removed_composes AS r (source_type, composes) VALUES (NEW.source_type, 1)
            ON CONFLICT (source_type) DO UPDATE SET composes = r.composes + 1;
    END IF;
    PERFORM pg_notify(TG_TABLE_SCHEMA, NEW.state || ' ' || NEW.id);
    RETURN NULL;
END
$$;
