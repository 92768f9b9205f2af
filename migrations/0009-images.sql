-- Images are built. A build has steps, which workers claim as they claim composes. So an attempt is
-- one at a compose or at a step, and an event is one of a compose or of a build. The contents of
-- images are kept by the digests of their manifests.

CREATE TABLE images (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner      text NOT NULL,
    repository text NOT NULL,
    definition jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);

CREATE UNIQUE INDEX images_by_repository ON images (repository) WHERE removed_at IS NULL;

CREATE TABLE rebuilds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner       text NOT NULL,
    compose_id  bigint NOT NULL REFERENCES composes,
    reason      jsonb NOT NULL,
    date_tag    text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    canceled_by text
);

CREATE INDEX rebuilds_of_compose ON rebuilds (compose_id);

CREATE TABLE builds (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner          text NOT NULL,
    image_id       bigint NOT NULL REFERENCES images,
    rebuild_id     bigint REFERENCES rebuilds,
    request        jsonb NOT NULL,
    date_tag       text NOT NULL,
    state          smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    state_reason   text,
    failure        jsonb,
    digest         text CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    time_submitted timestamptz NOT NULL DEFAULT now(),
    time_started   timestamptz,
    time_done      timestamptz,

    UNIQUE (image_id, date_tag),
    CHECK (state = 0 OR state = 4 OR time_started IS NOT NULL),
    CHECK ((state IN (2, 3)) = (digest IS NOT NULL)),
    CHECK ((state IN (2, 3, 4)) = (time_done IS NOT NULL)),
    CHECK (state <> 4 OR (state_reason IS NOT NULL AND failure IS NOT NULL))
);

CREATE UNIQUE INDEX builds_one_building ON builds (image_id) WHERE state = 1;
CREATE UNIQUE INDEX builds_once ON builds (rebuild_id, image_id) WHERE rebuild_id IS NOT NULL;
CREATE INDEX builds_open ON builds (image_id, id) WHERE state IN (0, 1);
CREATE INDEX builds_of_image ON builds (image_id, id);
CREATE INDEX builds_by_owner ON builds (owner, id);
CREATE INDEX builds_by_state ON builds (state, id);

CREATE TABLE build_composes (
    build_id   bigint NOT NULL REFERENCES builds,
    compose_id bigint NOT NULL REFERENCES composes,
    PRIMARY KEY (build_id, compose_id)
);

CREATE INDEX build_composes_of ON build_composes (compose_id);

CREATE TABLE build_waits (
    build_id  bigint NOT NULL REFERENCES builds,
    waits_for bigint NOT NULL REFERENCES builds,
    is_parent boolean NOT NULL,
    PRIMARY KEY (build_id, waits_for),
    CHECK (waits_for < build_id)
);

CREATE INDEX build_waits_of ON build_waits (waits_for);

CREATE TABLE build_steps (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    build_id         bigint NOT NULL REFERENCES builds,
    platform         text,
    state            smallint NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2, 4)),
    state_reason     text,
    failure          jsonb,
    digest           text CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    blocked_by       integer NOT NULL DEFAULT 0 CHECK (blocked_by >= 0),
    requires         jsonb NOT NULL DEFAULT '{}',

    priority         integer NOT NULL DEFAULT 0,
    available_at     timestamptz NOT NULL DEFAULT now(),
    attempts         integer NOT NULL DEFAULT 0,
    failures         integer NOT NULL DEFAULT 0,
    lease_token      uuid,
    lease_expires_at timestamptz,

    UNIQUE NULLS NOT DISTINCT (build_id, platform),
    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
    CHECK ((state = 1) = (lease_token IS NOT NULL)),
    CHECK (state IN (0, 4) OR blocked_by = 0),
    CHECK ((state = 2) = (digest IS NOT NULL)),
    CHECK (state <> 4 OR (state_reason IS NOT NULL AND failure IS NOT NULL))
);

CREATE INDEX build_steps_queue ON build_steps (priority DESC, available_at, id) WHERE state = 0 AND blocked_by = 0;
CREATE INDEX build_steps_leases ON build_steps (lease_expires_at) WHERE lease_expires_at IS NOT NULL;

CREATE TABLE rebuild_images (
    rebuild_id bigint NOT NULL REFERENCES rebuilds,
    image_id   bigint NOT NULL REFERENCES images,
    position   integer NOT NULL CHECK (position > 0),
    decision   text NOT NULL CHECK (decision IN ('build', 'join', 'cannot-help', 'unknown', 'excluded')),
    reason     text NOT NULL,
    parents    bigint[] NOT NULL DEFAULT '{}',
    findings   jsonb NOT NULL DEFAULT '[]',
    build_id   bigint REFERENCES builds,
    PRIMARY KEY (rebuild_id, image_id),
    UNIQUE (rebuild_id, position),
    CHECK ((decision IN ('build', 'join')) = (build_id IS NOT NULL))
);

CREATE INDEX rebuild_images_of_build ON rebuild_images (build_id) WHERE build_id IS NOT NULL;

CREATE TABLE published_tags (
    image_id bigint NOT NULL REFERENCES images,
    tag      text NOT NULL,
    digest   text NOT NULL CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    build_id bigint REFERENCES builds,
    seen_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (image_id, tag)
);

CREATE TABLE image_manifests (
    image_id bigint NOT NULL REFERENCES images,
    platform text NOT NULL,
    digest   text NOT NULL CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    is_known boolean NOT NULL DEFAULT false,
    PRIMARY KEY (image_id, platform)
);

CREATE INDEX image_manifests_of ON image_manifests (digest);
CREATE INDEX image_manifests_unknown ON image_manifests (image_id) WHERE NOT is_known;

CREATE TABLE contents (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest   text NOT NULL UNIQUE CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    platform text NOT NULL,
    layers   text[] NOT NULL DEFAULT '{}',
    state    text NOT NULL CHECK (state IN ('read', 'none', 'unknown')),
    problem  text,
    read_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'unknown') = (problem IS NOT NULL))
);

CREATE TABLE packages (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL,
    arch    text NOT NULL,
    module  text,
    epoch   bigint NOT NULL CHECK (epoch >= 0),
    version text NOT NULL,
    release text NOT NULL,
    source  text,
    UNIQUE NULLS NOT DISTINCT (name, arch, module, epoch, version, release, source)
);

CREATE TABLE content_packages (
    package_id bigint NOT NULL REFERENCES packages,
    content_id bigint NOT NULL REFERENCES contents,
    PRIMARY KEY (package_id, content_id)
);

CREATE INDEX content_packages_of ON content_packages (content_id);

ALTER TABLE attempts DROP CONSTRAINT attempts_pkey;
ALTER TABLE attempts DROP CONSTRAINT attempts_lease_token_key;
ALTER TABLE attempts ADD PRIMARY KEY (lease_token);
ALTER TABLE attempts ALTER compose_id DROP NOT NULL, ADD COLUMN step_id bigint REFERENCES build_steps,
    ADD CONSTRAINT attempts_of_one CHECK (num_nonnulls(compose_id, step_id) = 1);
CREATE UNIQUE INDEX attempts_of_compose ON attempts (compose_id, number) WHERE compose_id IS NOT NULL;
CREATE UNIQUE INDEX attempts_of_step ON attempts (step_id, number) WHERE step_id IS NOT NULL;
CREATE UNIQUE INDEX attempts_one_open_step ON attempts (step_id) WHERE ended_at IS NULL;

ALTER TABLE events ALTER compose_id DROP NOT NULL, ALTER compose DROP NOT NULL,
    ADD COLUMN build_id bigint REFERENCES builds, ADD COLUMN build jsonb,
    ADD CONSTRAINT events_of_one CHECK (
        (compose_id IS NULL) = (compose IS NULL) AND (build_id IS NULL) = (build IS NULL) AND num_nonnulls(compose_id, build_id) = 1);

CREATE FUNCTION builds_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN ((0, 1), (0, 4), (1, 2), (1, 4), (2, 3)) THEN
        RAISE EXCEPTION 'build % cannot go from state % to state %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'builds_transition';
    END IF;
    INSERT INTO events (build_id, state, build) VALUES (NEW.id, NEW.state, to_jsonb(NEW));
    PERFORM pg_notify(TG_TABLE_SCHEMA, 'build ' || NEW.state || ' ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER builds_submitted AFTER INSERT ON builds
    FOR EACH ROW EXECUTE FUNCTION builds_state_changed();
CREATE TRIGGER builds_transition AFTER UPDATE OF state ON builds
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION builds_state_changed();

CREATE FUNCTION build_steps_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN ((0, 0), (0, 1), (0, 4), (1, 0), (1, 2), (1, 4)) THEN
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

CREATE TRIGGER build_steps_submitted AFTER INSERT ON build_steps
    FOR EACH ROW WHEN (NEW.blocked_by = 0) EXECUTE FUNCTION build_steps_state_changed();
CREATE TRIGGER build_steps_transition AFTER UPDATE OF state, blocked_by ON build_steps
    FOR EACH ROW WHEN (OLD.state <> NEW.state OR (OLD.blocked_by > 0 AND NEW.blocked_by = 0))
    EXECUTE FUNCTION build_steps_state_changed();
