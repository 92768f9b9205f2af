-- Repeated POSTs are recognized. The metrics are added up as events happen, and are no longer counted
-- for each request of the metrics.

-- This statement also locks `composes` against writes until the whole migration is committed. So the
-- count of removed composes, which is taken below, stays correct.
CREATE INDEX composes_present ON composes (source_type, state) WHERE state <> 3;

CREATE TABLE removed_composes (
    source_type smallint PRIMARY KEY,
    composes    bigint NOT NULL
);

INSERT INTO removed_composes SELECT source_type, count(*) FROM composes WHERE state = 3 GROUP BY source_type;

CREATE OR REPLACE FUNCTION composes_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN ((0, 1), (0, 4), (1, 0), (1, 2), (1, 4), (2, 3), (4, 3)) THEN
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

CREATE TABLE submissions (
    compose_id      bigint PRIMARY KEY REFERENCES composes,
    owner           text NOT NULL,
    idempotency_key text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX submissions_by_key ON submissions (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX submissions_by_owner ON submissions (owner, created_at);
CREATE INDEX submissions_by_age ON submissions (created_at);

CREATE TABLE phase_durations (
    phase   text NOT NULL,
    bound   float8 NOT NULL CHECK (bound > 0),
    times   bigint NOT NULL,
    seconds float8 NOT NULL,
    PRIMARY KEY (phase, bound)
);

CREATE TABLE tallies (
    event text PRIMARY KEY,
    times bigint NOT NULL
);

-- The pins of all kinds of sources move into one member of the specification, `pins`.
UPDATE composes SET specification = (specification - 'repositories' - 'lookaside')
    || jsonb_build_object('pins', jsonb_build_object('repositories', specification->'repositories', 'lookaside', specification->'lookaside'))
WHERE specification ? 'repositories';
