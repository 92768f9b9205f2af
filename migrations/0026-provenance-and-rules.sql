-- How each platform of a build was made, for the provenance of images. The contents of the images
-- below another one are found by their layers.
ALTER TABLE build_steps ADD origin jsonb;
CREATE INDEX contents_by_layers ON contents USING hash (layers);
CREATE INDEX build_steps_by_digest ON build_steps (digest) WHERE platform IS NOT NULL AND digest IS NOT NULL;

-- Rules: images that follow a watch, or the images that they build on.
CREATE TABLE rules (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner            text NOT NULL,
    watch_id         bigint REFERENCES watches,
    images           text[] NOT NULL CHECK (cardinality(images) > 0),
    created_at       timestamptz NOT NULL DEFAULT now(),
    ended_at         timestamptz,
    looked_at        timestamptz,
    seen_compose     bigint REFERENCES composes,
    seen_contents    bigint,
    next_look_at     timestamptz NOT NULL DEFAULT now(),
    problem          text,
    lease_token      uuid,
    lease_began_at   timestamptz,
    lease_expires_at timestamptz,

    CHECK (num_nulls(lease_token, lease_began_at, lease_expires_at) IN (0, 3))
);

CREATE UNIQUE INDEX rules_standing ON rules (owner, watch_id, images) NULLS NOT DISTINCT WHERE ended_at IS NULL;
CREATE INDEX rules_of_watch ON rules (watch_id) WHERE ended_at IS NULL;

CREATE TABLE rule_builds (
    rule_id  bigint NOT NULL REFERENCES rules,
    build_id bigint NOT NULL REFERENCES builds,
    image_id bigint NOT NULL REFERENCES images,
    cause    text NOT NULL,
    PRIMARY KEY (rule_id, build_id)
);

CREATE INDEX rule_builds_by_cause ON rule_builds (cause, image_id);

ALTER TABLE rebuilds ADD rule_id bigint REFERENCES rules;
