-- Questions of frontends that a worker answers, such as a dry run. The frontend waits for the answer
-- and deletes the row. After a crash of the database no frontend waits any more, so no log is kept.
CREATE UNLOGGED TABLE questions (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request          jsonb NOT NULL,
    -- When the frontend stops to wait.
    expires_at       timestamptz NOT NULL,
    -- A JSON document, once a worker has answered.
    answer           text,
    lease_token      uuid,
    lease_expires_at timestamptz,

    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL))
);
