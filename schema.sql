-- The whole database of ODCS: composes, the attempts to build them, the results they show, and the outbox of events.
--
-- It is applied to an empty schema by `odcs-server migrate`, which also upgrades an older one by the files in migrations/.
-- There is no broker: a compose that waits is a row of `composes`, a worker claims it with FOR UPDATE SKIP LOCKED, and every
-- later write names the lease that the claim gave. Times are the database's own, so that hosts need not agree on theirs.

-- A directory with a finished repository, named after the compose that built it. No compose owns it: it stays as long as a compose
-- that is done points to it.
CREATE TABLE results (
    -- The compose that built it; its directory is odcs-<id>.
    id                bigint PRIMARY KEY,
    target_dir        text NOT NULL,
    -- SHA-256 of the specification, in hexadecimal: equal keys mean that either result serves both.
    specification_key text NOT NULL,
    -- SHA-256 over the request and the packages that were chosen, whatever the sources were then: an equal request with an equal key
    -- gets the same packages. NULL for results that are made from no choice of packages.
    packages_key      text,
    packages          integer NOT NULL CHECK (packages >= 0),
    bytes             bigint NOT NULL CHECK (bytes >= 0),
    created_at        timestamptz NOT NULL DEFAULT now(),
    -- Set when the last compose that shows it is over: from then on nothing may join it. The files go after this is committed, …
    retired_at        timestamptz,
    -- … and this says that they are gone.
    deleted_at        timestamptz,
    -- When its time is over: the latest time that a compose which shows it was given. All composes that show it expire then, so that one
    -- more of them changes this row and no other compose's.
    expires_at        timestamptz NOT NULL,
    CHECK (deleted_at IS NULL OR retired_at IS NOT NULL)
);

CREATE INDEX results_reusable ON results (specification_key) WHERE retired_at IS NULL;
CREATE INDEX results_of_same_packages ON results (packages_key) WHERE retired_at IS NULL AND packages_key IS NOT NULL;
-- The expirer looks for results whose time is over.
CREATE INDEX results_expiry ON results (expires_at) WHERE retired_at IS NULL;
CREATE INDEX results_to_delete ON results (retired_at) WHERE retired_at IS NOT NULL AND deleted_at IS NULL;

-- A Koji tag that is watched: a new compose is made whenever the packages that the request takes from it are others than before. Its
-- latest compose is the newest row of `composes` with its id.
CREATE TABLE watches (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner            text NOT NULL,
    -- What each of its composes is asked for with (ComposeRequest); only tags are watched.
    request          jsonb NOT NULL CHECK (request->>'sourceType' = '1'),
    created_at       timestamptz NOT NULL DEFAULT now(),
    -- From then on nobody looks any more; its composes stay until their own time is over.
    ended_at         timestamptz,

    -- The event of Koji's history up to which its changes are known; the numbers of the tag and its parents as of that event, whose
    -- changes matter; and, of the last look that succeeded, SHA-256 over the packages: another one means a new compose.
    koji_event       bigint,
    tag_ids          bigint[] NOT NULL DEFAULT '{}',
    packages_key     text,
    -- When Koji was asked about it last, and why that or the last look failed, for people.
    looked_at        timestamptz,
    problem          text,
    -- How many looks have failed in a row, and when the next one is made even if the tag has not changed: again, or to confirm the last.
    failures         integer NOT NULL DEFAULT 0,
    retry_at         timestamptz,

    -- When Koji is to be asked about it again, and which worker does so now.
    next_look_at     timestamptz NOT NULL DEFAULT now(),
    lease_token      uuid,
    lease_expires_at timestamptz,
    -- The address that asked for it, if the standing watches of an address are limited. It is forgotten when the watch ends.
    caller           text,

    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL))
);

CREATE INDEX watches_due ON watches (next_look_at) WHERE ended_at IS NULL;
CREATE INDEX watches_by_owner ON watches (owner, id);
CREATE INDEX watches_standing ON watches (caller) WHERE ended_at IS NULL AND caller IS NOT NULL;

CREATE TABLE composes (
    -- Never reused; an id answers for ever, so rows are never deleted.
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner             text NOT NULL,
    -- What was asked for, validated (ComposeRequest).
    request           jsonb NOT NULL,
    -- Copies of members of the request, and what was resolved from it, that the list filters and orders by.
    source_type       smallint NOT NULL CHECK (source_type BETWEEN 1 AND 7),
    source            text NOT NULL,
    koji_event        bigint,
    koji_task_id      bigint,
    pungi_compose_id  text,
    compose_type      text,
    label             text,
    -- The compose whose inputs, and pins, this one takes over.
    renewed_from      bigint REFERENCES composes,
    -- The watch that it was made for.
    watch_id          bigint REFERENCES watches,

    -- 0 wait, 1 generating, 2 done, 3 removed, 4 failed. The trigger below holds the legal transitions.
    state             smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    state_reason      text,
    -- The reason as data (ComposeFailure).
    failure           jsonb,
    time_submitted    timestamptz NOT NULL DEFAULT now(),
    time_started      timestamptz,
    time_done         timestamptz,
    -- While it is under way, what it will be at the least; from its end on, the end plus its time to live. One that is done, and that nobody
    -- removed, expires with its result, at results.expires_at; once it is removed, this is when it did.
    time_to_expire    timestamptz NOT NULL,
    time_removed      timestamptz,
    removed_by        text,

    -- Every input pinned (ComposeSpecification), and its SHA-256: known once a worker pinned it, or from the start when renewed.
    specification     jsonb,
    specification_key text,
    -- Whether the specification was there from the start, or the compose waits for signatures: then its pins hold for every attempt, else
    -- each attempt pins anew.
    is_pinned         boolean NOT NULL DEFAULT false,
    -- The result that it shows, once done.
    result_id         bigint REFERENCES results,
    -- An equal compose under way, whose end will be the end of this one as well.
    joined_to         bigint REFERENCES composes,

    -- The queue. A compose may be claimed from this time on: later than now after a transient failure.
    available_at      timestamptz NOT NULL DEFAULT now(),
    -- Attempts begun, and how many of them ended in a transient failure or with the worker lost.
    attempts          integer NOT NULL DEFAULT 0,
    failures          integer NOT NULL DEFAULT 0,
    -- When an attempt first found packages without the wanted signatures, if the request is to wait for them.
    unsigned_since    timestamptz,
    lease_token       uuid,
    lease_expires_at  timestamptz,
    -- The workers whose configuration or host cannot make it: they claimed it, gave it back, and do not claim it again. And since when
    -- there are any.
    refused_by        text[],
    refused_since     timestamptz,
    -- The address that asked for it, if the waiting composes of an address are limited. It is forgotten when a worker begins.
    caller            text,

    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
    -- Exactly what is generating is held: by a worker, or by the compose that it joined.
    CHECK ((state = 1) = (lease_token IS NOT NULL OR joined_to IS NOT NULL)),
    CHECK (lease_token IS NULL OR joined_to IS NULL),
    CHECK (joined_to <> id),
    CHECK (state <> 2 OR (result_id IS NOT NULL AND time_done IS NOT NULL)),
    CHECK (state <> 4 OR (state_reason IS NOT NULL AND time_done IS NOT NULL)),
    CHECK (state <> 3 OR time_removed IS NOT NULL),
    CHECK ((specification IS NULL) = (specification_key IS NULL)),
    CHECK (NOT is_pinned OR specification IS NOT NULL)
);

-- Claiming takes the oldest that may run.
CREATE INDEX composes_queue ON composes (available_at, id) WHERE state = 0;
-- Submitting counts what waits for the same caller.
CREATE INDEX composes_waiting ON composes (caller) WHERE state = 0 AND caller IS NOT NULL;
-- The reaper looks for leases that ran out.
CREATE INDEX composes_leases ON composes (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
-- The expirer looks for time to live that ran out; most of what is done expires with its result.
CREATE INDEX composes_expiry ON composes (time_to_expire) WHERE state = 4 OR (state = 2 AND removed_by IS NOT NULL);
-- The reaper looks for composes that no worker can make.
CREATE INDEX composes_refused ON composes (refused_since) WHERE state = 0 AND refused_since IS NOT NULL;
-- Joining looks for an equal compose under way, finishing for those that joined, expiring for those that show a result.
CREATE INDEX composes_under_way ON composes (specification_key) WHERE lease_token IS NOT NULL;
CREATE INDEX composes_joined ON composes (joined_to) WHERE joined_to IS NOT NULL;
CREATE INDEX composes_showing ON composes (result_id) WHERE state = 2;
-- Reuse looks for an equal compose that shows a result.
CREATE INDEX composes_done ON composes (specification_key) WHERE state = 2;
-- The list's filters; its default order is the primary key. An index takes 2,704 bytes a row, and a source can be longer.
CREATE INDEX composes_by_owner ON composes (owner, id);
CREATE INDEX composes_by_source ON composes (left(source, 200), id);
CREATE INDEX composes_by_state ON composes (state, id);
CREATE INDEX composes_by_label ON composes (label, id) WHERE label IS NOT NULL;
CREATE INDEX composes_by_koji_task ON composes (koji_task_id, id) WHERE koji_task_id IS NOT NULL;
CREATE INDEX composes_by_pungi_compose ON composes (pungi_compose_id, id) WHERE pungi_compose_id IS NOT NULL;
-- The latest compose of a watch.
CREATE INDEX composes_by_watch ON composes (watch_id, id) WHERE watch_id IS NOT NULL;
-- The metrics count what is not removed, which is little of all that ever was; for the rest see removed_composes.
CREATE INDEX composes_present ON composes (source_type, state) WHERE state <> 3;

-- How many composes are removed: state 3 is never left, so that counting up is enough. The trigger below does.
CREATE TABLE removed_composes (
    source_type smallint PRIMARY KEY,
    composes    bigint NOT NULL
);

-- The POSTs that are known again when they come twice: those with an Idempotency-Key, and, where the configuration asks for it, all of
-- an owner who is known. What was asked is in the compose. Rows are kept for a day or so.
CREATE TABLE submissions (
    compose_id      bigint PRIMARY KEY REFERENCES composes,
    owner           text NOT NULL,
    idempotency_key text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX submissions_by_key ON submissions (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX submissions_by_owner ON submissions (owner, created_at);
CREATE INDEX submissions_by_age ON submissions (created_at);

-- Each time that a worker began a compose.
CREATE TABLE attempts (
    compose_id  bigint NOT NULL REFERENCES composes,
    number      integer NOT NULL CHECK (number > 0),
    -- Names the directory that the attempt builds in, so that nothing else can ever take it for its own.
    lease_token uuid NOT NULL UNIQUE,
    worker      text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    -- done
    -- joined    an equal compose
    -- failed    for good
    -- retry     after a transient failure
    -- unsigned  packages, which are looked for again later
    -- released  by a worker that stopped
    -- refused   by a worker that cannot make it
    -- lost      with its worker
    -- canceled  by a person
    outcome     text CHECK (outcome IN ('done', 'joined', 'failed', 'retry', 'unsigned', 'released', 'refused', 'lost', 'canceled')),
    PRIMARY KEY (compose_id, number),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

-- Two workers can never be at the same compose.
CREATE UNIQUE INDEX attempts_one_open ON attempts (compose_id) WHERE ended_at IS NULL;

-- Who is there to work; a row that was not touched for a while is a worker that is gone.
CREATE TABLE workers (
    name       text PRIMARY KEY,
    slots      integer NOT NULL CHECK (slots > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);

-- Work that one process at a time does, and for how long it is that one's turn: its token is on what it writes. A row is there while the
-- work is under way.
CREATE TABLE turns (
    work       text PRIMARY KEY,
    token      uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The target directories by their names in requests, each with the id that a file in it has: a process whose directory has another id, or
-- none, has not the directory that the others share.
CREATE TABLE target_directories (
    name text PRIMARY KEY,
    id   uuid NOT NULL
);

-- What the frontend that started last takes, so that a worker that starts can tell what of it its own configuration lacks (ServiceOffer).
CREATE TABLE service_offer (
    is_offer boolean PRIMARY KEY DEFAULT true CHECK (is_offer),
    offer    jsonb NOT NULL,
    said_at  timestamptz NOT NULL DEFAULT now()
);

-- What workers did, added up for the metrics, so that nobody needs to count it. First how long the phases of composing took: how many
-- took no longer than the bound but longer than the one below it, and all their time together; in seconds (WorkTally.Phase).
CREATE TABLE phase_durations (
    phase   text NOT NULL,
    bound   float8 NOT NULL CHECK (bound > 0),
    times   bigint NOT NULL,
    seconds float8 NOT NULL,
    PRIMARY KEY (phase, bound)
);

-- Then how often something happened (WorkTally.Event).
CREATE TABLE tallies (
    event text PRIMARY KEY,
    times bigint NOT NULL
);

-- The outbox: one row for every transition, written by the trigger in the same transaction. It is read by published_at IS NULL, never
-- by "id greater than the last one seen", which would lose a row that commits late.
CREATE TABLE events (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    compose_id   bigint NOT NULL REFERENCES composes,
    state        smallint NOT NULL,
    -- The row of `composes` as it was then.
    compose      jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);

CREATE INDEX events_unpublished ON events (id) WHERE published_at IS NULL;

-- One place for what every change of state must do, whichever statement makes it: be legal, be recorded, be heard of.
-- The notification is a hint on the channel that has the schema's name; its text is `STATE ID`.
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
