-- API tokens, and the audit of writes.

CREATE TABLE tokens (
    id           text PRIMARY KEY CHECK (id ~ '^[0-9a-hjkmnp-tv-z]{10}$'),
    owner        text NOT NULL,
    groups       text[] NOT NULL DEFAULT '{}',
    note         text NOT NULL,
    secret       text NOT NULL CHECK (secret ~ '^[0-9a-f]{64}$'),
    old_secret   text CHECK (old_secret ~ '^[0-9a-f]{64}$'),
    old_until    timestamptz,
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0),
    rule         text,
    repositories text[] CHECK (cardinality(repositories) > 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    rotated_at   timestamptz,
    expires_at   timestamptz,
    used_at      timestamptz,
    used_from    text,
    revoked_at   timestamptz,
    revoked_by   text,
    CHECK ((old_secret IS NULL) = (old_until IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);

CREATE INDEX tokens_by_owner ON tokens (owner, created_at);

CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    account    text,
    provider   text,
    token      text,
    rule       text,
    address    text,
    request    text,
    action     text NOT NULL,
    object     text,
    outcome    text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    detail     jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX audit_by_age ON audit (created_at);
CREATE INDEX audit_by_account ON audit (account, id) WHERE account IS NOT NULL;
CREATE INDEX audit_by_token ON audit (token, id) WHERE token IS NOT NULL;
