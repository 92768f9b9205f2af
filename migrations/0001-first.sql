-- The whole database of ODCS in version 1: composes, the attempts to build them, the results they
-- show, and the outbox of events.
--
-- No server applies this file. An empty schema gets schema.sql, which is the current version. Tests
-- begin with this file to check the upgrade.
--
-- There is no broker. A waiting compose is a row of `composes`, and a worker claims it with FOR UPDATE
-- SKIP LOCKED. Every later write names the lease that the claim gave. Times are those of the database,
-- so hosts need not agree on the time.

-- A directory with a finished repository, named after the compose that built it. No compose owns it.
-- It stays as long as a done compose points to it.
CREATE TABLE results (
    -- The compose that built the result. Its directory is odcs-<id>.
    id                bigint PRIMARY KEY,
    target_dir        text NOT NULL,
    -- SHA-256 of the specification, in hexadecimal. Results with equal keys can replace each other.
    specification_key text NOT NULL,
    packages          integer NOT NULL CHECK (packages >= 0),
    bytes             bigint NOT NULL CHECK (bytes >= 0),
    created_at        timestamptz NOT NULL DEFAULT now(),
    -- When the last compose that showed the result was removed. No compose may join the result afterwards.
    -- The files are deleted only after this is committed.
    retired_at        timestamptz,
    -- When the files were deleted.
    deleted_at        timestamptz,
    CHECK (deleted_at IS NULL OR retired_at IS NOT NULL)
);

CREATE INDEX results_reusable ON results (specification_key) WHERE retired_at IS NULL;
CREATE INDEX results_to_delete ON results (retired_at) WHERE retired_at IS NOT NULL AND deleted_at IS NULL;

CREATE TABLE composes (
    -- An id is never reused and remains valid for ever, so rows are never deleted.
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner             text NOT NULL,
    -- The validated request (ComposeRequest).
    request           jsonb NOT NULL,
    -- Copies of members of the request, and values resolved from it. The list filters and orders by them.
    source_type       smallint NOT NULL CHECK (source_type BETWEEN 1 AND 7),
    source            text NOT NULL,
    koji_event        bigint,
    koji_task_id      bigint,
    pungi_compose_id  text,
    compose_type      text,
    label             text,
    -- The compose whose inputs and pins this one takes over.
    renewed_from      bigint REFERENCES composes,

    -- 0 wait, 1 generating, 2 done, 3 removed, 4 failed. The trigger below allows only the legal
    -- transitions.
    state             smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    state_reason      text,
    -- The reason as data (ComposeFailure).
    failure           jsonb,
    time_submitted    timestamptz NOT NULL DEFAULT now(),
    time_started      timestamptz,
    time_done         timestamptz,
    -- Before the compose ends: the earliest time at which it can expire. Afterwards: its end plus its time
    -- to live.
    time_to_expire    timestamptz NOT NULL,
    time_removed      timestamptz,
    removed_by        text,

    -- The specification with every input pinned (ComposeSpecification), and its SHA-256. They are known
    -- once a worker pinned the inputs, or from the start for a renewed compose.
    specification     jsonb,
    specification_key text,
    -- Whether the pins hold for every attempt. They do if the specification was there from the start.
    -- Otherwise each attempt pins again.
    is_pinned         boolean NOT NULL DEFAULT false,
    -- The result that the compose shows once it is done.
    result_id         bigint REFERENCES results,
    -- An equal compose that is being built. This compose ends when that one ends.
    joined_to         bigint REFERENCES composes,

    -- The queue. A compose may be claimed from this time on. After a transient failure the time lies in
    -- the future.
    available_at      timestamptz NOT NULL DEFAULT now(),
    -- How many attempts were begun, and how many of them ended in a transient failure or with the loss of
    -- the worker.
    attempts          integer NOT NULL DEFAULT 0,
    failures          integer NOT NULL DEFAULT 0,
    lease_token       uuid,
    lease_expires_at  timestamptz,

    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
    -- A generating compose is held by a worker or by the compose that it joined. No other compose is held.
    CHECK ((state = 1) = (lease_token IS NOT NULL OR joined_to IS NOT NULL)),
    CHECK (lease_token IS NULL OR joined_to IS NULL),
    CHECK (joined_to <> id),
    CHECK (state <> 2 OR (result_id IS NOT NULL AND time_done IS NOT NULL)),
    CHECK (state <> 4 OR (state_reason IS NOT NULL AND time_done IS NOT NULL)),
    CHECK (state <> 3 OR time_removed IS NOT NULL),
    CHECK ((specification IS NULL) = (specification_key IS NULL)),
    CHECK (NOT is_pinned OR specification IS NOT NULL)
);

-- Claiming takes the oldest compose that may run.
CREATE INDEX composes_queue ON composes (available_at, id) WHERE state = 0;
-- The reaper looks for leases that ran out.
CREATE INDEX composes_leases ON composes (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
-- The expirer looks for composes whose time to live ran out.
CREATE INDEX composes_expiry ON composes (time_to_expire) WHERE state IN (2, 4);
-- Joining looks for an equal compose that is being built. Finishing looks for composes that joined.
-- Expiring looks for composes that show a result.
CREATE INDEX composes_under_way ON composes (specification_key) WHERE lease_token IS NOT NULL;
CREATE INDEX composes_joined ON composes (joined_to) WHERE joined_to IS NOT NULL;
CREATE INDEX composes_showing ON composes (result_id) WHERE state = 2;
-- The filters of the list. Its default order is that of the primary key.
CREATE INDEX composes_by_owner ON composes (owner, id);
CREATE INDEX composes_by_source ON composes (source, id);
CREATE INDEX composes_by_state ON composes (state, id);

-- One row for each time that a worker began a compose.
CREATE TABLE attempts (
    compose_id  bigint NOT NULL REFERENCES composes,
    number      integer NOT NULL CHECK (number > 0),
    -- The token also names the directory that the attempt builds in, so that no other attempt can use that
    -- directory.
    lease_token uuid NOT NULL UNIQUE,
    worker      text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    -- done: the compose is done.
    -- joined: the compose joined an equal compose.
    -- failed: the compose failed for good.
    -- retry: the attempt ended in a transient failure.
    -- released: the worker stopped.
    -- lost: the worker was lost.
    -- canceled: a person canceled the compose.
    outcome     text CHECK (outcome IN ('done', 'joined', 'failed', 'retry', 'released', 'lost', 'canceled')),
    PRIMARY KEY (compose_id, number),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

-- Two workers can never build the same compose.
CREATE UNIQUE INDEX attempts_one_open ON attempts (compose_id) WHERE ended_at IS NULL;

-- The live workers. A row that was not updated for a while belongs to a worker that is gone.
CREATE TABLE workers (
    name       text PRIMARY KEY,
    slots      integer NOT NULL CHECK (slots > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);

-- The outbox: one row for each transition, written by the trigger in the same transaction. Readers
-- select rows with published_at IS NULL. They never select rows with an id greater than the last one
-- seen, because that would lose a row that commits late.
CREATE TABLE events (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    compose_id   bigint NOT NULL REFERENCES composes,
    state        smallint NOT NULL,
    -- The row of `composes` as it was right after the transition.
    compose      jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);

CREATE INDEX events_unpublished ON events (id) WHERE published_at IS NULL;

-- The one place for everything that a change of state must do, in whichever statement: be legal, be
-- recorded and be announced. The notification is a hint on the channel that has the schema's name. Its
-- text is `STATE ID`.
CREATE FUNCTION composes_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN ((0, 1), (0, 4), (1, 0), (1, 2), (1, 4), (2, 3), (4, 3)) THEN
        RAISE EXCEPTION 'compose % cannot go from state % to state %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'composes_transition';
    END IF;
    INSERT INTO events (compose_id, state, compose) VALUES (NEW.id, NEW.state, to_jsonb(NEW));
    PERFORM pg_notify(TG_TABLE_SCHEMA, NEW.state || ' ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER composes_submitted AFTER INSERT ON composes
    FOR EACH ROW EXECUTE FUNCTION composes_state_changed();
CREATE TRIGGER composes_transition AFTER UPDATE OF state ON composes
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION composes_state_changed();
