-- A rebuild can wait for its compose, and keeps what it was asked for. Images that others build on
-- are looked at. A step can be done without having been claimed, if nothing is left to do.
ALTER TABLE rebuilds ADD COLUMN selection jsonb NOT NULL DEFAULT '{}', ADD COLUMN priority integer NOT NULL DEFAULT 0,
    ADD COLUMN planned_at timestamptz, ADD COLUMN problem text, ADD CHECK (planned_at IS NULL OR problem IS NULL);
UPDATE rebuilds SET planned_at = created_at;
CREATE INDEX rebuilds_waiting ON rebuilds (compose_id) WHERE planned_at IS NULL AND problem IS NULL AND canceled_by IS NULL;

CREATE TABLE base_manifests (
    reference text NOT NULL,
    platform  text NOT NULL,
    digest    text NOT NULL CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    seen_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (reference, platform)
);

CREATE OR REPLACE FUNCTION build_steps_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN ((0, 0), (0, 1), (0, 2), (0, 4), (1, 0), (1, 2), (1, 4)) THEN
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
