-- The sessions of people who are logged in to the pages. The cookie of the browser has the text whose
-- SHA-256 is the id.
CREATE TABLE sessions (
    id         text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{64}$'),
    account    text NOT NULL,
    provider   text NOT NULL,
    -- The groups and scopes that the person had at the login. NULL: the login has no scopes.
    groups     text[] NOT NULL DEFAULT '{}',
    scopes     text[],
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX sessions_by_end ON sessions (expires_at);
