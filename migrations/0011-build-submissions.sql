-- A request for a build can be sent again without making a second build, as a request for a compose.

CREATE TABLE build_submissions (
    build_id        bigint PRIMARY KEY REFERENCES builds,
    owner           text NOT NULL,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL DEFAULT now(),

    UNIQUE (owner, idempotency_key)
);

CREATE INDEX build_submissions_by_age ON build_submissions (created_at);
