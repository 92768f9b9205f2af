-- The whole database of ODCS: composes, the attempts to build them, the results they show, and the
-- outbox of events.
--
-- `odcs-server migrate` applies this file to an empty schema. It upgrades an older schema with the
-- files in migrations/. There is no broker. A waiting compose is a row of `composes`, and a worker
-- claims it with FOR UPDATE SKIP LOCKED. Every later write names the lease that the claim gave. Times
-- are those of the database, so hosts need not agree on the time.

-- A directory with a finished repository, named after the compose that built it. No compose owns it.
-- It stays as long as a done compose points to it.
CREATE TABLE results (
    -- The compose that built the result. Its directory is odcs-<id>.
    id                bigint PRIMARY KEY,
    target_dir        text NOT NULL,
    -- SHA-256 of the specification, in hexadecimal. Results with equal keys can replace each other.
    specification_key text NOT NULL,
    -- SHA-256 of the request and the chosen packages, without the state of the sources at that time. Equal
    -- keys mean equal packages for an equal request. NULL if the result is not made from a choice of
    -- packages.
    packages_key      text,
    packages          integer NOT NULL CHECK (packages >= 0),
    bytes             bigint NOT NULL CHECK (bytes >= 0),
    created_at        timestamptz NOT NULL DEFAULT now(),
    -- When the last compose that showed the result was removed. No compose may join the result afterwards.
    -- The files are deleted only after this is committed.
    retired_at        timestamptz,
    -- When the files were deleted.
    deleted_at        timestamptz,
    -- When the result expires: the latest expiry of the composes that show it. All composes that show it
    -- expire at this time. An additional compose therefore changes only this row, and no row of another
    -- compose.
    expires_at        timestamptz NOT NULL,
    CHECK (deleted_at IS NULL OR retired_at IS NOT NULL)
);

CREATE INDEX results_reusable ON results (specification_key) WHERE retired_at IS NULL;
CREATE INDEX results_of_same_packages ON results (packages_key) WHERE retired_at IS NULL AND packages_key IS NOT NULL;
-- The expirer looks for expired results.
CREATE INDEX results_expiry ON results (expires_at) WHERE retired_at IS NULL;
CREATE INDEX results_to_delete ON results (retired_at) WHERE retired_at IS NOT NULL AND deleted_at IS NULL;

-- A watch: a standing request for a Koji tag. A new compose is made whenever the packages that the
-- request takes from the tag have changed. The latest compose of a watch is the newest row of
-- `composes` with its id.
CREATE TABLE watches (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner            text NOT NULL,
    -- The request for each compose of the watch (ComposeRequest). Only tags can be watched.
    request          jsonb NOT NULL CHECK (request->>'sourceType' = '1'),
    created_at       timestamptz NOT NULL DEFAULT now(),
    -- When the watch was ended. No worker looks for it afterwards. Its composes stay until they expire.
    ended_at         timestamptz,

    -- koji_event: the event of Koji's history up to which changes are known. tag_ids: the numbers of the
    -- tag and its parents as of that event. Only changes of these matter. packages_key: SHA-256 of the
    -- packages of the last look that succeeded. Another value means a new compose.
    koji_event       bigint,
    tag_ids          bigint[] NOT NULL DEFAULT '{}',
    packages_key     text,
    -- When Koji was last asked about the watch, and why that or the last look failed, for people.
    looked_at        timestamptz,
    problem          text,
    -- How many looks have failed in a row, and when the next look is made even if the tag has not changed.
    -- Such a look repeats a failed one or confirms the last one.
    failures         integer NOT NULL DEFAULT 0,
    retry_at         timestamptz,

    -- When Koji will be asked about the watch again, and which worker does so now.
    next_look_at     timestamptz NOT NULL DEFAULT now(),
    lease_token      uuid,
    lease_expires_at timestamptz,
    -- The address that asked for the watch, if the standing watches of an address are limited. It is
    -- deleted when the watch ends.
    caller           text,

    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL))
);

CREATE INDEX watches_due ON watches (next_look_at) WHERE ended_at IS NULL;
CREATE INDEX watches_by_owner ON watches (owner, id);
CREATE INDEX watches_standing ON watches (caller) WHERE ended_at IS NULL AND caller IS NOT NULL;

CREATE TABLE composes (
    -- An id is never reused and remains valid for ever, so rows are never deleted.
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner             text NOT NULL,
    -- The validated request (ComposeRequest).
    request           jsonb NOT NULL,
    -- Copies of members of the request, and values resolved from it. The list filters and orders by them.
    -- The numbers of source types are those of SourceType.swift. No CHECK repeats them, so a new source
    -- type needs no migration.
    source_type       smallint NOT NULL,
    source            text NOT NULL,
    koji_event        bigint,
    koji_task_id      bigint,
    pungi_compose_id  text,
    compose_type      text,
    label             text,
    -- The compose whose inputs and pins this one takes over.
    renewed_from      bigint REFERENCES composes,
    -- The watch that the compose was made for.
    watch_id          bigint REFERENCES watches,

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
    -- to live. A done compose that no person removed expires with its result, at results.expires_at. For a
    -- removed compose this is when it expired.
    time_to_expire    timestamptz NOT NULL,
    time_removed      timestamptz,
    removed_by        text,

    -- The specification with every input pinned (ComposeSpecification), and its SHA-256. They are known
    -- once a worker pinned the inputs, or from the start for a renewed compose.
    specification     jsonb,
    specification_key text,
    -- Whether the pins hold for every attempt. They do if the specification was there from the start, or
    -- if the compose waits for signatures. Otherwise each attempt pins again.
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
    -- When an attempt first found packages without the wanted signatures, if the request waits for
    -- signatures.
    unsigned_since    timestamptz,
    lease_token       uuid,
    lease_expires_at  timestamptz,
    -- The workers whose configuration or host cannot make the compose, and when the first of them refused
    -- it. They claimed the compose, gave it back, and do not claim it again.
    refused_by        text[],
    refused_since     timestamptz,
    -- The address that asked for the compose, if the waiting composes of an address are limited. It is
    -- deleted when a worker begins.
    caller            text,

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
-- Submitting counts the waiting composes of the same caller.
CREATE INDEX composes_waiting ON composes (caller) WHERE state = 0 AND caller IS NOT NULL;
-- The reaper looks for leases that ran out.
CREATE INDEX composes_leases ON composes (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
-- The expirer looks for composes whose time to live ran out. Most done composes expire with their
-- result instead.
CREATE INDEX composes_expiry ON composes (time_to_expire) WHERE state = 4 OR (state = 2 AND removed_by IS NOT NULL);
-- The reaper looks for composes that no worker can make.
CREATE INDEX composes_refused ON composes (refused_since) WHERE state = 0 AND refused_since IS NOT NULL;
-- Joining looks for an equal compose that is being built. Finishing looks for composes that joined.
-- Expiring looks for composes that show a result.
CREATE INDEX composes_under_way ON composes (specification_key) WHERE lease_token IS NOT NULL;
CREATE INDEX composes_joined ON composes (joined_to) WHERE joined_to IS NOT NULL;
CREATE INDEX composes_showing ON composes (result_id) WHERE state = 2;
-- Reuse looks for an equal compose that shows a result.
CREATE INDEX composes_done ON composes (specification_key) WHERE state = 2;
-- The filters of the list. Its default order is that of the primary key. An index accepts 2,704 bytes
-- a row, and a source can be longer.
CREATE INDEX composes_by_owner ON composes (owner, id);
CREATE INDEX composes_by_source ON composes (left(source, 200), id);
CREATE INDEX composes_by_state ON composes (state, id);
CREATE INDEX composes_by_label ON composes (label, id) WHERE label IS NOT NULL;
CREATE INDEX composes_by_koji_task ON composes (koji_task_id, id) WHERE koji_task_id IS NOT NULL;
CREATE INDEX composes_by_pungi_compose ON composes (pungi_compose_id, id) WHERE pungi_compose_id IS NOT NULL;
-- The latest compose of a watch.
CREATE INDEX composes_by_watch ON composes (watch_id, id) WHERE watch_id IS NOT NULL;
-- The metrics count composes that are not removed, which are few of all composes. See removed_composes
-- for the others.
CREATE INDEX composes_present ON composes (source_type, state) WHERE state <> 3;

-- How many composes are removed. No compose leaves state 3, so it is enough to count up. The trigger
-- below does this.
CREATE TABLE removed_composes (
    source_type smallint PRIMARY KEY,
    composes    bigint NOT NULL
);

-- The POSTs that are recognized when they are sent twice. These are the POSTs with an Idempotency-Key.
-- If the configuration asks for it, all POSTs of an authenticated owner are recognized as well. The
-- request is in the compose. Rows are kept for about a day.
CREATE TABLE submissions (
    compose_id      bigint PRIMARY KEY REFERENCES composes,
    owner           text NOT NULL,
    idempotency_key text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX submissions_by_key ON submissions (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX submissions_by_owner ON submissions (owner, created_at);
CREATE INDEX submissions_by_age ON submissions (created_at);

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
    -- joined: the compose shows the result of an equal one, or waits for it.
    -- failed: the compose failed for good.
    -- retry: the attempt ended in a transient failure.
    -- unsigned: packages lack signatures, which are checked again later.
    -- released: the worker stopped, or the compose gave way to others.
    -- refused: the worker cannot make the compose.
    -- lost: the worker was lost.
    -- canceled: a person canceled the compose.
    outcome     text CHECK (outcome IN ('done', 'joined', 'failed', 'retry', 'unsigned', 'released', 'refused', 'lost', 'canceled')),
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

-- Work that only one process at a time does. A turn lasts until it expires, and the writes of that
-- process name its token. A row exists while the work is in progress.
CREATE TABLE turns (
    work       text PRIMARY KEY,
    token      uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The target directories by their names in requests. A file in each directory has the directory's id.
-- If the directory of a process has another id or no id, it is not the directory that the other
-- processes share.
CREATE TABLE target_directories (
    name text PRIMARY KEY,
    id   uuid NOT NULL
);

-- The offer of the frontend that started last (ServiceOffer). A worker that starts uses it to report
-- what its own configuration lacks.
CREATE TABLE service_offer (
    is_offer boolean PRIMARY KEY DEFAULT true CHECK (is_offer),
    offer    jsonb NOT NULL,
    said_at  timestamptz NOT NULL DEFAULT now()
);

-- The work of all workers, summed up for the metrics. This table has the durations of the phases of
-- composing (WorkTally.Phase). Each row has the number of durations that are no longer than the bound
-- but longer than the bound below, and their sum in seconds.
CREATE TABLE phase_durations (
    phase   text NOT NULL,
    bound   float8 NOT NULL CHECK (bound > 0),
    times   bigint NOT NULL,
    seconds float8 NOT NULL,
    PRIMARY KEY (phase, bound)
);

-- This table counts events (WorkTally.Event).
CREATE TABLE tallies (
    event text PRIMARY KEY,
    times bigint NOT NULL
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
    IF NEW.state = 3 THEN
        INSERT INTO removed_composes AS r (source_type, composes) VALUES (NEW.source_type, 1)
            ON CONFLICT (source_type) DO UPDATE SET composes = r.composes + 1;
    END IF;
    PERFORM pg_notify(TG_TABLE_SCHEMA, NEW.state || ' ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER composes_submitted AFTER INSERT ON composes
    FOR EACH ROW EXECUTE FUNCTION composes_state_changed();
CREATE TRIGGER composes_transition AFTER UPDATE OF state ON composes
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION composes_state_changed();
