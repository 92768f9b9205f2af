-- A result can also be found by its packages, and Koji tags can be watched.

ALTER TABLE results ADD COLUMN packages_key text;

CREATE INDEX results_of_same_packages ON results (packages_key) WHERE retired_at IS NULL AND packages_key IS NOT NULL;

CREATE INDEX composes_done ON composes (specification_key) WHERE state = 2;

CREATE TABLE watches (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner            text NOT NULL,
    request          jsonb NOT NULL CHECK (request->>'sourceType' = '1'),
    created_at       timestamptz NOT NULL DEFAULT now(),
    ended_at         timestamptz,
    koji_event       bigint,
    tag_ids          bigint[] NOT NULL DEFAULT '{}',
    packages_key     text,
    looked_at        timestamptz,
    problem          text,
    failures         integer NOT NULL DEFAULT 0,
    retry_at         timestamptz,
    next_look_at     timestamptz NOT NULL DEFAULT now(),
    lease_token      uuid,
    lease_expires_at timestamptz,

    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL))
);

CREATE INDEX watches_due ON watches (next_look_at) WHERE ended_at IS NULL;
CREATE INDEX watches_by_owner ON watches (owner, id);

ALTER TABLE composes ADD COLUMN watch_id bigint REFERENCES watches;

CREATE INDEX composes_by_watch ON composes (watch_id, id) WHERE watch_id IS NOT NULL;
