-- A request for a rebuild can be sent again without making a second rebuild, as a request for a build.

CREATE TABLE rebuild_submissions (
    rebuild_id      bigint PRIMARY KEY REFERENCES rebuilds,
    owner           text NOT NULL,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL DEFAULT now(),

    UNIQUE (owner, idempotency_key)
);

CREATE INDEX rebuild_submissions_by_age ON rebuild_submissions (created_at);
