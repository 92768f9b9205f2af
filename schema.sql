-- The whole database of ODCS: composes and the results they show, images and their builds, the
-- attempts to make them, and the outbox of events.
--
-- `odcs-server migrate` applies this file to an empty schema. It upgrades an older schema with the
-- files in migrations/. There is no broker. A waiting compose is a row of `composes`, a waiting
-- step of a build is a row of `build_steps`, and a worker claims them with FOR UPDATE SKIP LOCKED.
-- Every later write names the lease that the claim gave. Times are those of the database, so hosts
-- need not agree on the time.

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
CREATE INDEX watches_standing_by_owner ON watches (owner) WHERE ended_at IS NULL;
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
    -- The span of the request that a compose was made for, as in the header `traceparent` of W3C Trace
    -- Context. NULL: the request had none, and the process records no traces.
    traceparent       text,

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
-- Claiming by turns takes the oldest compose of an owner, and counts the composes of an owner that are
-- under way.
CREATE INDEX composes_queue_by_owner ON composes (owner, available_at, id) WHERE state = 0;
CREATE INDEX composes_held_by_owner ON composes (owner) WHERE lease_token IS NOT NULL;
-- Submitting sums up the results of an owner.
CREATE INDEX composes_done_by_owner ON composes (owner, result_id) WHERE state = 2;
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

-- An image that this service can build: a name in a registry, and its definition. A removed image
-- keeps its row, because its builds point to it.
CREATE TABLE images (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner      text NOT NULL,
    -- The name. It has a tag only for an artifact, because one repository has several of them. Examples:
    -- registry.example.org/team/web, registry.example.org/team/mps-main-image:rocky9.
    repository text NOT NULL,
    -- The Containerfile's place, the platforms and the like (ImageDefinition).
    definition jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When a person removed the image. No build of it is made afterwards.
    removed_at timestamptz,

    CONSTRAINT images_named CHECK ((definition ? 'artifact') = (repository ~ ':[^/]*$'))
);

CREATE UNIQUE INDEX images_by_repository ON images (repository) WHERE removed_at IS NULL;

-- A rule: images that follow a watch, or the images that they build on. A worker compares the
-- packages that images have with those that they could have. So no event can be missed.
CREATE TABLE rules (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner            text NOT NULL,
    -- The watch whose composes have the newer packages. NULL: the images that the images build on have
    -- them.
    watch_id         bigint REFERENCES watches,
    -- Patterns for the names of images, in order. Example: team/*.
    images           text[] NOT NULL CHECK (cardinality(images) > 0),
    created_at       timestamptz NOT NULL DEFAULT now(),
    -- When a person ended the rule or its watch. A rule that has ended stays.
    ended_at         timestamptz,
    -- The begin of the last look. At that time, these were the latest compose of the watch that was
    -- done, and the newest contents of all images.
    looked_at        timestamptz,
    seen_compose     bigint REFERENCES composes,
    seen_contents    bigint,
    -- A look is due then, even if nothing seems to have changed.
    next_look_at     timestamptz NOT NULL DEFAULT now(),
    -- Which images are given up, or why the last look could not decide anything, for people.
    problem          text,
    -- The worker that looks, and since when.
    lease_token      uuid,
    lease_began_at   timestamptz,
    lease_expires_at timestamptz,

    CHECK (num_nulls(lease_token, lease_began_at, lease_expires_at) IN (0, 3))
);

-- The same rule of the same owner stands once.
CREATE UNIQUE INDEX rules_standing ON rules (owner, watch_id, images) NULLS NOT DISTINCT WHERE ended_at IS NULL;
-- The end of a watch ends its rules.
CREATE INDEX rules_of_watch ON rules (watch_id) WHERE ended_at IS NULL;

-- A rebuild: the builds that bring the packages of a compose into every image that has older ones.
CREATE TABLE rebuilds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner       text NOT NULL,
    compose_id  bigint NOT NULL REFERENCES composes,
    -- The advisory and the like (RebuildReason).
    reason      jsonb NOT NULL,
    -- The images and packages that were asked for (RebuildSelection).
    selection   jsonb NOT NULL DEFAULT '{}',
    -- The priority of the builds.
    priority    integer NOT NULL DEFAULT 0,
    -- The tag that all builds of the rebuild begin with. Example: 20261129.
    date_tag    text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    -- When the plan was made. Before that, the rebuild waits for its compose.
    planned_at  timestamptz,
    -- Why no plan can be made, for people.
    problem     text,
    canceled_by text,
    -- The rule that asked for the rebuild. NULL if a person did.
    rule_id     bigint REFERENCES rules,

    CHECK (planned_at IS NULL OR problem IS NULL)
);

CREATE INDEX rebuilds_of_compose ON rebuilds (compose_id);
-- Planning looks for rebuilds whose compose has ended. The expirer spares the composes of these.
CREATE INDEX rebuilds_waiting ON rebuilds (compose_id) WHERE planned_at IS NULL AND problem IS NULL AND canceled_by IS NULL;

-- Requests for rebuilds that had an Idempotency-Key, so that a request that is sent again is
-- recognized. A row is deleted when it is older than a few days.
CREATE TABLE rebuild_submissions (
    rebuild_id      bigint PRIMARY KEY REFERENCES rebuilds,
    owner           text NOT NULL,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL DEFAULT now(),

    UNIQUE (owner, idempotency_key)
);

CREATE INDEX rebuild_submissions_by_age ON rebuild_submissions (created_at);

-- A build: one image built once for all its platforms. Its work is done by its steps. Builds are
-- submitted and ended one after the other, under an advisory lock, so that their counts of each
-- other are right. Claims of steps come one after the other too, under a lock of their own.
CREATE TABLE builds (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner          text NOT NULL,
    image_id       bigint NOT NULL REFERENCES images,
    -- The rebuild that asked for the build. Later ones may join it, see rebuild_images. NULL if a
    -- person asked for this build alone.
    rebuild_id     bigint REFERENCES rebuilds,
    -- The definition as it was, and the priority (BuildRequest).
    request        jsonb NOT NULL,
    -- The tag of the manifest list. Example: 20261129.2, for the second build of the image on that
    -- day.
    date_tag       text NOT NULL,
    -- 0 wait, 1 building, 2 done, 3 removed, 4 failed. The trigger below allows only the legal
    -- transitions.
    state          smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    state_reason   text,
    -- The reason as data (BuildFailure).
    failure        jsonb,
    -- The digest of the manifest list.
    digest         text CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    -- The git commit and the digests of images that all steps use (BuildPins). The first step that
    -- prepares writes them. A value that is written stays.
    pins           jsonb,
    -- The comparison of old and new contents by platform (Verification). Example of a key:
    -- linux/amd64.
    verification   jsonb,
    time_submitted timestamptz NOT NULL DEFAULT now(),
    -- When a worker claimed the first step.
    time_started   timestamptz,
    time_done      timestamptz,

    UNIQUE (image_id, date_tag),
    CHECK (state = 0 OR state = 4 OR time_started IS NOT NULL),
    CHECK ((state IN (2, 3)) = (digest IS NOT NULL)),
    CHECK ((state IN (2, 3, 4)) = (time_done IS NOT NULL)),
    CHECK (state <> 4 OR (state_reason IS NOT NULL AND failure IS NOT NULL))
);

-- An image is built once at a time, and a rebuild builds it once: no rebuild runs in a circle.
CREATE UNIQUE INDEX builds_one_building ON builds (image_id) WHERE state = 1;
CREATE UNIQUE INDEX builds_once ON builds (rebuild_id, image_id) WHERE rebuild_id IS NOT NULL;
-- Submitting looks for the open builds of an image.
CREATE INDEX builds_open ON builds (image_id, id) WHERE state IN (0, 1);
-- The filters of the list. Its default order is that of the primary key.
CREATE INDEX builds_of_image ON builds (image_id, id);
CREATE INDEX builds_by_owner ON builds (owner, id);
CREATE INDEX builds_by_state ON builds (state, id);
-- The minutes of an owner's builds within 24 hours are those of the builds that ended in that time.
CREATE INDEX builds_ended_by_owner ON builds (owner, coalesce(time_done, 'infinity'::timestamptz));

-- The composes whose packages a build may install.
CREATE TABLE build_composes (
    build_id   bigint NOT NULL REFERENCES builds,
    compose_id bigint NOT NULL REFERENCES composes,
    PRIMARY KEY (build_id, compose_id)
);

CREATE INDEX build_composes_of ON build_composes (compose_id);

-- A build waits for an older one. Either it builds on that one's image, and fails if that one
-- fails. Or both are builds of the same image, and only one at a time is made.
CREATE TABLE build_waits (
    build_id  bigint NOT NULL REFERENCES builds,
    waits_for bigint NOT NULL REFERENCES builds,
    -- Whether the build builds on the other one's image.
    is_parent boolean NOT NULL,
    PRIMARY KEY (build_id, waits_for),
    -- A build waits only for builds that were there before. So no builds wait for each other.
    CHECK (waits_for < build_id)
);

CREATE INDEX build_waits_of ON build_waits (waits_for);

-- Requests for builds that had an Idempotency-Key, so that a request that is sent again is recognized.
-- A row is deleted when it is older than a few days.
CREATE TABLE build_submissions (
    build_id        bigint PRIMARY KEY REFERENCES builds,
    owner           text NOT NULL,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL DEFAULT now(),

    UNIQUE (owner, idempotency_key)
);

CREATE INDEX build_submissions_by_age ON build_submissions (created_at);

-- The archives that senders have uploaded, for their limits within 24 hours (UploadLimit). Only
-- senders with a limit have rows. Rows are kept for about a day.
CREATE TABLE uploads (
    -- The account, or the address of a sender that the service does not know. Examples: account joe,
    -- 192.0.2.7.
    sender     text NOT NULL,
    digest     text NOT NULL,
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sender, digest)
);

CREATE INDEX uploads_by_age ON uploads (created_at);

-- A node is a place where images are built: an engine that speaks the Docker Engine API. The node
-- `local` stands for the nodes of the workers themselves, which `workers` describes.
CREATE TABLE nodes (
    name          text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
    -- local, unix:///PATH, ssh://USER@HOST:PORT/PATH or tcp://HOST:PORT (NodeConnection).
    connection    text NOT NULL CHECK ((connection = 'local') = (name = 'local')),
    -- The name of the key with which workers log in. Workers have the file. Never a secret.
    identity      text,
    -- How many platforms it builds at the same time. Not for `local`.
    slots         integer NOT NULL DEFAULT 1 CHECK (slots > 0),
    weight        integer NOT NULL DEFAULT 10 CHECK (weight > 0),
    labels        jsonb NOT NULL DEFAULT '{}',
    -- push: the node pushes images. pull: the worker fetches them and pushes them.
    delivery      text NOT NULL DEFAULT 'push' CHECK (delivery IN ('push', 'pull')),
    is_enabled    boolean NOT NULL DEFAULT true,
    -- The result of the last look. new: no worker has looked yet. lost: it does not answer.
    state         text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'ready', 'lost')),
    -- Why the node is lost or disabled, for people.
    problem       text,
    -- The platforms whose programs ran there when they were tried: without and with an emulator.
    native        text[] NOT NULL DEFAULT '{}',
    emulated      text[] NOT NULL DEFAULT '{}',
    -- Why other platforms are not built there. Example of a key: linux/arm64.
    absent        jsonb NOT NULL DEFAULT '{}',
    -- For example podman 4.3.1.
    engine        text,
    seen_at       timestamptz,
    probed_at     timestamptz,
    -- A worker looks at the node when the time has come. It moves the time first, so that no other
    -- worker looks as well.
    next_look_at  timestamptz NOT NULL DEFAULT now(),
    -- Whether the next look tries the platforms.
    probe_asked   boolean NOT NULL DEFAULT true,
    -- The images that the next look removes (PruneRequest), and the last result (PruneResult).
    prune_asked   jsonb,
    prune_result  jsonb
);

INSERT INTO nodes (name, connection, state, probe_asked) VALUES ('local', 'local', 'ready', false);

-- A farm is a named set of nodes. A build without a farm and without nodes goes to the default
-- farm. Without a default farm, it goes to all nodes.
CREATE TABLE farms (
    name       text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
    is_default boolean NOT NULL DEFAULT false
);

CREATE UNIQUE INDEX farms_one_default ON farms (is_default) WHERE is_default;

CREATE TABLE farm_nodes (
    farm text NOT NULL REFERENCES farms ON DELETE CASCADE,
    node text NOT NULL REFERENCES nodes ON DELETE CASCADE,
    PRIMARY KEY (farm, node)
);

-- A step of a build: one platform, or the manifest list. It is what a worker claims. The list is
-- claimed when all platforms are done.
CREATE TABLE build_steps (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    build_id         bigint NOT NULL REFERENCES builds,
    -- For example linux/arm64. NULL is the manifest list.
    platform         text,
    -- 0 wait, 1 running, 2 done, 4 failed. The trigger below allows only the legal transitions.
    state            smallint NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2, 4)),
    state_reason     text,
    failure          jsonb,
    -- The digest of the manifest, or of the manifest list, as the registry has it.
    digest           text CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    -- How many builds (for a platform) or platforms (for the list) must end first.
    blocked_by       integer NOT NULL DEFAULT 0 CHECK (blocked_by >= 0),
    -- The labels that a worker or node must have. Example: {"host": "rhel"}.
    requires         jsonb NOT NULL DEFAULT '{}',
    -- The Containerfile, the node and the composes of a platform (StepOrigin), for the provenance.
    origin           jsonb,
    -- The farm, or the nodes, that may build it. NULL: the default farm, or all nodes.
    farm             text,
    nodes            text[],
    -- The node that builds it, or that has built it last.
    node             text,
    -- The nodes of farms that could not build it. It goes to others, as long as there are any.
    failed_nodes     text[] NOT NULL DEFAULT '{}',

    -- The queue. The columns mean the same as those of composes.
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
    CHECK (state <> 4 OR (state_reason IS NOT NULL AND failure IS NOT NULL)),
    CONSTRAINT build_steps_placement CHECK (farm IS NULL OR nodes IS NULL)
);

-- Claiming takes the first step that may run.
CREATE INDEX build_steps_queue ON build_steps (priority DESC, available_at, id) WHERE state = 0 AND blocked_by = 0;
-- The reaper looks for leases that ran out.
CREATE INDEX build_steps_leases ON build_steps (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
-- A claim counts the steps that each node builds.
CREATE INDEX build_steps_of_node ON build_steps (node) WHERE state = 1;

-- The build that made a manifest.
CREATE INDEX build_steps_by_digest ON build_steps (digest) WHERE platform IS NOT NULL AND digest IS NOT NULL;

-- The plan of a rebuild: one row for each image, with parents before their children.
CREATE TABLE rebuild_images (
    rebuild_id bigint NOT NULL REFERENCES rebuilds,
    image_id   bigint NOT NULL REFERENCES images,
    position   integer NOT NULL CHECK (position > 0),
    -- The decision about the image (RebuildPlan.Decision), and why, for people.
    decision   text NOT NULL CHECK (decision IN ('build', 'join', 'cannot-help', 'unknown', 'excluded')),
    reason     text NOT NULL,
    -- The images of the plan that this one builds on.
    parents    bigint[] NOT NULL DEFAULT '{}',
    -- The older packages on each platform (RebuildPlan.PlatformFindings).
    findings   jsonb NOT NULL DEFAULT '[]',
    -- The build that the rebuild made, or that it joined.
    build_id   bigint REFERENCES builds,
    PRIMARY KEY (rebuild_id, image_id),
    UNIQUE (rebuild_id, position),
    CHECK ((decision IN ('build', 'join')) = (build_id IS NOT NULL))
);

CREATE INDEX rebuild_images_of_build ON rebuild_images (build_id) WHERE build_id IS NOT NULL;

-- The builds that rules have asked for. The ended builds of one image with one cause are its tries.
-- Their number is bounded.
CREATE TABLE rule_builds (
    rule_id  bigint NOT NULL REFERENCES rules,
    build_id bigint NOT NULL REFERENCES builds,
    image_id bigint NOT NULL REFERENCES images,
    -- The place of the newer packages. Examples: compose 12, and base with the digests of manifests.
    cause    text NOT NULL,
    PRIMARY KEY (rule_id, build_id)
);

CREATE INDEX rule_builds_by_cause ON rule_builds (cause, image_id);

-- The digest that a tag of an image showed when this service last wrote the tag or looked at it.
CREATE TABLE published_tags (
    image_id bigint NOT NULL REFERENCES images,
    tag      text NOT NULL,
    digest   text NOT NULL CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    -- The build that wrote the tag. NULL if it shows something else.
    build_id bigint REFERENCES builds,
    seen_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (image_id, tag)
);

-- The manifest of an image for each platform that is in use: that of the last build that is done,
-- or of the last look at the image's tag.
CREATE TABLE image_manifests (
    image_id bigint NOT NULL REFERENCES images,
    platform text NOT NULL,
    digest   text NOT NULL CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    -- Whether the contents are known: read, or none. It may be false although they became known at the
    -- same moment, so a query that finds false looks at the contents as well.
    is_known boolean NOT NULL DEFAULT false,
    PRIMARY KEY (image_id, platform)
);

CREATE INDEX image_manifests_of ON image_manifests (digest);
-- Few manifests have unknown contents, and every answer about packages names them.
CREATE INDEX image_manifests_unknown ON image_manifests (image_id) WHERE NOT is_known;

-- The manifests that the tag of a base showed when this service last looked at it. A base is an image
-- that this service does not build and that its images build on.
CREATE TABLE base_manifests (
    -- The name with its tag. Example: registry.example.org/vendor/ubi:9.
    reference text NOT NULL,
    platform  text NOT NULL,
    digest    text NOT NULL CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    seen_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (reference, platform)
);

-- The contents of a manifest. They are read once and never change. Only unknown contents may be
-- read again.
CREATE TABLE contents (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest   text NOT NULL UNIQUE CHECK (digest ~ '^sha(256|512):[0-9a-f]+$'),
    platform text NOT NULL,
    -- The digests of the uncompressed layers from the base upwards. They show which parent brought
    -- a package.
    layers   text[] NOT NULL DEFAULT '{}',
    -- read: content_packages has all packages.
    -- none: the image has no rpmdb.
    -- unknown: the rpmdb could not be read, so the image may have anything.
    state    text NOT NULL CHECK (state IN ('read', 'none', 'unknown')),
    -- Why the contents are unknown, for people.
    problem  text,
    read_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'unknown') = (problem IS NOT NULL))
);

-- The contents of an image below another one have a beginning of its layers.
CREATE INDEX contents_by_layers ON contents USING hash (layers);

-- Every build of a package that some image has, once.
CREATE TABLE packages (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL,
    arch    text NOT NULL,
    -- The module and stream. Example: nodejs:18. NULL if the package is not modular.
    module  text,
    epoch   bigint NOT NULL CHECK (epoch >= 0),
    version text NOT NULL,
    release text NOT NULL,
    -- The source RPM. NULL if the header names none.
    source  text,
    -- The index begins with the columns by which older builds of a package are found.
    UNIQUE NULLS NOT DISTINCT (name, arch, module, epoch, version, release, source)
);

-- The packages of contents. The key finds the contents that have a package.
CREATE TABLE content_packages (
    package_id bigint NOT NULL REFERENCES packages,
    content_id bigint NOT NULL REFERENCES contents,
    PRIMARY KEY (package_id, content_id)
);

CREATE INDEX content_packages_of ON content_packages (content_id);

-- One row for each time that a worker began a compose or a step of a build.
CREATE TABLE attempts (
    compose_id  bigint REFERENCES composes,
    step_id     bigint REFERENCES build_steps,
    number      integer NOT NULL CHECK (number > 0),
    -- The token also names the directory that the attempt builds in, so that no other attempt can use that
    -- directory.
    lease_token uuid PRIMARY KEY,
    worker      text NOT NULL,
    -- The advisory lock that the worker's listener holds as long as the worker lives
    -- (WorkerPresence). NULL if it has none.
    presence    bigint,
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    -- done: the compose or step is done. joined: the compose shows the result of an equal one, or
    -- waits for it. failed: the compose or step failed for good. retry: the attempt ended in a
    -- transient failure. unsigned: packages lack signatures, which are checked again later.
    -- released: the worker stopped, or the compose gave way to others. refused: the worker cannot
    -- make the compose. lost: the worker was lost. canceled: a person canceled the compose or
    -- build, or the build failed because of another step.
    outcome     text CHECK (outcome IN ('done', 'joined', 'failed', 'retry', 'unsigned', 'released', 'refused', 'lost', 'canceled')),
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT attempts_of_one CHECK (num_nonnulls(compose_id, step_id) = 1)
);

CREATE UNIQUE INDEX attempts_of_compose ON attempts (compose_id, number) WHERE compose_id IS NOT NULL;
CREATE UNIQUE INDEX attempts_of_step ON attempts (step_id, number) WHERE step_id IS NOT NULL;
-- Two workers can never build the same compose, or do the same step.
CREATE UNIQUE INDEX attempts_one_open ON attempts (compose_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX attempts_one_open_step ON attempts (step_id) WHERE ended_at IS NULL;

-- A secret with which a program or a person asks. Only its hash is stored.
CREATE TABLE tokens (
    -- The part of the token's text that is not secret.
    id           text PRIMARY KEY CHECK (id ~ '^[0-9a-hjkmnp-tv-z]{10}$'),
    -- The account that everything belongs to that the token makes, and its groups when the token was made.
    owner        text NOT NULL,
    groups       text[] NOT NULL DEFAULT '{}',
    -- A text of the owner, for people.
    note         text NOT NULL,
    -- SHA-256 of the secret in hexadecimal. The secret has 256 random bits, so a slow hash would protect
    -- nothing.
    secret       text NOT NULL CHECK (secret ~ '^[0-9a-f]{64}$'),
    -- The hash of the secret before the last rotation, and until when it is accepted.
    old_secret   text CHECK (old_secret ~ '^[0-9a-f]{64}$'),
    old_until    timestamptz,
    -- The actions that the token is for (Scope).
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0),
    -- The rule of the configuration that the token is limited to. NULL if it is not limited.
    rule         text,
    -- Patterns of repositories of images that the token is limited to. NULL if it is not limited.
    repositories text[] CHECK (cardinality(repositories) > 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    rotated_at   timestamptz,
    -- NULL if the token does not end by itself.
    expires_at   timestamptz,
    -- The end that the event `token-expiring` announced. A rotation changes the end, so that it is
    -- announced again.
    warned_end   timestamptz,
    -- The last use, exact to a minute, and the address that it came from.
    used_at      timestamptz,
    used_from    text,
    revoked_at   timestamptz,
    revoked_by   text,
    CHECK ((old_secret IS NULL) = (old_until IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);

CREATE INDEX tokens_by_owner ON tokens (owner, created_at);
-- The announcer looks for tokens that expire soon, and the metrics count them.
CREATE INDEX tokens_by_end ON tokens (expires_at) WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

-- The audit: every write, every refused write, and the life of tokens (AuditEntry). It has no secrets.
CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The sender: account, identity provider, id of the API token, rule that allowed the request,
    -- address, and the id of the request in the log.
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

-- The oldest entries are next to each other, so an index of ranges of blocks finds them. It costs an
-- insertion nearly nothing.
CREATE INDEX audit_by_age ON audit USING brin (created_at);
CREATE INDEX audit_by_account ON audit (account, id) WHERE account IS NOT NULL;
-- The first use of a token from an address is audited.
CREATE INDEX audit_of_token_uses ON audit (token, address) WHERE action = 'token.use';

-- The live workers. A row that was not updated for a while belongs to a worker that is gone.
CREATE TABLE workers (
    name       text PRIMARY KEY,
    slots      integer NOT NULL CHECK (slots > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    -- Why the node of the worker builds no images any more: it or the registry lied about a digest.
    node_problem text,
    -- The platforms that the worker builds with its own node: those of its processor, and those whose
    -- programs an emulator runs. None if it builds no images.
    native       text[] NOT NULL DEFAULT '{}',
    emulated     text[] NOT NULL DEFAULT '{}',
    -- The number of platforms that it builds at the same time, and its labels.
    image_slots  integer NOT NULL DEFAULT 0,
    labels       jsonb NOT NULL DEFAULT '{}'
);

-- Work that only one process at a time does. A turn lasts until it expires, and the writes of that
-- process name its token. A row exists while the work is in progress. The looks at images are due
-- again when their turn expires.
CREATE TABLE turns (
    work       text PRIMARY KEY,
    token      uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The owners of composes and builds that have had a turn, or that are limited (FairTurns).
CREATE TABLE owners (
    owner           text PRIMARY KEY,
    -- The share of the workers that the owner gets, compared with others that wait.
    weight          float8 NOT NULL DEFAULT 1 CHECK (weight > 0),
    -- How many composes of the owner may be under way at a time. NULL means any number.
    under_way_limit integer CHECK (under_way_limit > 0),
    -- The turn of the owner in each queue.
    compose_turn    float8 NOT NULL DEFAULT 0,
    step_turn       float8 NOT NULL DEFAULT 0
);

-- The turn of the work that was taken last from each queue.
CREATE TABLE turn_clocks (
    queue text PRIMARY KEY,
    turn  float8 NOT NULL DEFAULT 0
);

INSERT INTO turn_clocks (queue) VALUES ('composes'), ('steps');

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

-- The outbox: one row for each transition, written by the trigger in the same transaction, and one for
-- each token that expires soon, written in the transaction that notes it in `tokens.warned_end`.
-- An id is given before its transaction commits, so a reader that remembers an id would lose an event
-- that commits late. Readers remember a position instead, which the sequencer gives afterwards.
CREATE TABLE events (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- No foreign key, which would lock the row of the compose again for each event. Only the triggers of
    -- composes write here, and composes are never deleted.
    compose_id   bigint,
    build_id     bigint REFERENCES builds,
    token_id     text REFERENCES tokens,
    -- The state of the compose or the build. Tokens have none.
    state        smallint,
    -- The row of `composes` or `builds` as it was right after the transition, or the row of `tokens`
    -- without its hashes.
    compose      jsonb,
    build        jsonb,
    token        jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- When the event got its position. From then on it is delivered.
    published_at timestamptz,
    -- The place of the event among all events that are committed: 1, 2, 3, … without gaps.
    position     bigint,
    -- Whether the statement that stored the event has notified already. The sequencer notifies for the
    -- other events.
    is_announced boolean NOT NULL DEFAULT false,
    CONSTRAINT events_of_one CHECK (
        (compose_id IS NULL) = (compose IS NULL) AND (build_id IS NULL) = (build IS NULL) AND (token_id IS NULL) = (token IS NULL)
        AND num_nonnulls(compose_id, build_id, token_id) = 1),
    CONSTRAINT events_with_state CHECK ((state IS NULL) = (token_id IS NOT NULL)),
    CONSTRAINT events_published CHECK (position IS NULL OR published_at IS NOT NULL)
);

CREATE UNIQUE INDEX events_by_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_unnumbered ON events (id) WHERE position IS NULL;
CREATE INDEX events_of_compose ON events (compose_id, position) WHERE compose_id IS NOT NULL;
CREATE INDEX events_of_build ON events (build_id, position) WHERE build_id IS NOT NULL;
-- Old events are deleted by their age. Such an index costs an insertion nearly nothing.
CREATE INDEX events_by_age ON events USING brin (published_at);

-- The position of the last event that has one. The sequencer locks the row, so its transactions follow
-- each other, and positions become visible in their order.
CREATE TABLE event_clock (
    is_clock   boolean PRIMARY KEY DEFAULT true CHECK (is_clock),
    position   bigint NOT NULL DEFAULT 0,
    -- The greatest position of the events that were deleted because of their age.
    deleted_to bigint NOT NULL DEFAULT 0,
    -- The position after which the first subscribers of this database begin. NULL once there were any.
    -- Later ones begin with the events that follow their first appearance.
    begins_at  bigint DEFAULT 0
);

INSERT INTO event_clock DEFAULT VALUES;

-- A receiver of events, by the configuration of the workers. A subscriber that the configuration does
-- not name any more keeps its row, and is not served.
CREATE TABLE subscribers (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text NOT NULL UNIQUE,
    -- Every event up to this position was delivered, does not concern the subscriber, or is a dead letter.
    position         bigint NOT NULL,
    -- The positions after it that were delivered already, because several objects are served side by side.
    ahead            bigint[] NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    -- When a worker last had the subscriber in its configuration, and when the last event was delivered.
    seen_at          timestamptz NOT NULL DEFAULT now(),
    delivered_at     timestamptz,
    -- How many deliveries have failed in a row, why the last one did, for people, and when the next one
    -- is made.
    failures         integer NOT NULL DEFAULT 0,
    problem          text,
    retry_at         timestamptz,
    -- The event that fails although the subscriber answers, and how often it did.
    failing_position bigint,
    refusals         integer NOT NULL DEFAULT 0,
    -- When the deliveries were paused: by a person, or because the subscriber is gone.
    paused_at        timestamptz,
    -- The turn of the worker that delivers now, and the lock that the worker shares (WorkerPresence).
    lease_token      uuid,
    lease_expires_at timestamptz,
    presence         bigint,
    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL))
);

-- An event that a subscriber refused for good, or events that were deleted before it took them.
CREATE TABLE dead_letters (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscriber_id bigint NOT NULL REFERENCES subscribers ON DELETE CASCADE,
    -- NULL if the events are gone.
    event_id      bigint REFERENCES events,
    -- How many events are gone.
    lost          bigint CHECK (lost > 0),
    problem       text NOT NULL,
    attempts      integer NOT NULL,
    died_at       timestamptz NOT NULL DEFAULT now(),
    -- When a person asked to send the event again. It is deleted when the subscriber takes it.
    replayed_at   timestamptz,
    CHECK ((event_id IS NULL) = (lost IS NOT NULL)),
    UNIQUE (subscriber_id, event_id)
);

CREATE INDEX dead_letters_of_event ON dead_letters (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX dead_letters_to_replay ON dead_letters (subscriber_id, id) WHERE replayed_at IS NOT NULL;

-- Gives positions to the oldest committed events that have none, and notifies for them in one batch.
-- NOTIFY takes a lock until the transaction is committed, so a trigger that notifies makes all commits
-- wait for each other. Returns the number of events.
--
-- The notifications are those that a trigger would send, as in `2 17`, and then the last position, as
-- in `events 57`.
CREATE FUNCTION sequence_events(most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    last_position bigint;
    count_of_events integer;
BEGIN
    -- Many calls find nothing, because another process was faster. These take no lock.
    IF NOT EXISTS (SELECT FROM events WHERE position IS NULL) THEN
        RETURN 0;
    END IF;
    SELECT c.position INTO last_position FROM event_clock c FOR UPDATE;
    -- This statement has a snapshot of its own, so it sees what the transaction before has numbered.
    WITH unnumbered AS (
        SELECT e.id, row_number() OVER (ORDER BY e.id) AS place
        FROM (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT most) e
    ), numbered AS (
        UPDATE events e SET position = last_position + u.place, published_at = coalesce(e.published_at, now())
        FROM unnumbered u WHERE e.id = u.id RETURNING e.position, e.compose_id, e.state, e.is_announced
    ), announced AS (
        SELECT pg_notify(current_schema(), n.state || ' ' || n.compose_id)
        FROM (SELECT * FROM numbered WHERE compose_id IS NOT NULL AND NOT is_announced ORDER BY position) n
    )
    -- The notifications are sent only if their rows are read.
    SELECT (SELECT count(*) FROM numbered) + 0 * (SELECT count(a::text) FROM announced a) INTO count_of_events;
    UPDATE event_clock c SET position = last_position + count_of_events;
    PERFORM pg_notify(current_schema(), 'events ' || last_position + count_of_events);
    RETURN count_of_events;
END
$$;

-- The one place for everything that a new compose must do: be recorded and be announced. It runs once
-- for each statement, because one statement inserts the composes of many requests. The notification is
-- a hint on the channel that has the schema's name. Its text is `STATE ID`. It wakes an idle worker at
-- once, without waiting for the sequencer.
CREATE FUNCTION composes_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (compose_id, state, compose, is_announced)
        SELECT n.id, n.state, to_jsonb(n), true FROM submitted n ORDER BY n.id;
    PERFORM pg_notify(TG_TABLE_SCHEMA, n.state || ' ' || n.id) FROM submitted n;
    RETURN NULL;
END
$$;

CREATE TRIGGER composes_submitted AFTER INSERT ON composes
    REFERENCING NEW TABLE AS submitted FOR EACH STATEMENT EXECUTE FUNCTION composes_submitted();

-- The one place for everything that a change of state must do, in whichever statement: be legal and be
-- recorded. The sequencer announces it.
CREATE FUNCTION composes_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN ((0, 1), (0, 4), (1, 0), (1, 2), (1, 4), (2, 3), (4, 3)) THEN
        RAISE EXCEPTION 'compose % cannot go from state % to state %', NEW.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'composes_transition';
    END IF;
    INSERT INTO events (compose_id, state, compose) VALUES (NEW.id, NEW.state, to_jsonb(NEW));
    IF NEW.state = 3 THEN
        INSERT INTO removed_composes AS r (source_type, composes) VALUES (NEW.source_type, 1)
            ON CONFLICT (source_type) DO UPDATE SET composes = r.composes + 1;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER composes_transition AFTER UPDATE OF state ON composes
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION composes_state_changed();

-- During an upgrade, a worker of the previous version must leave work to newer ones if it would do it
-- wrongly. Each session announces the version of the schema that its program knows, as
-- `odcs.schema_version`. Programs of versions before 32 announce none.
--
-- The argument is the version that a program must know. For an older one, the row is not updated, so
-- that its claim finds nothing. Work behind this row waits as well, until a newer worker has taken it.
CREATE FUNCTION leave_to_newer_programs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(nullif(current_setting('odcs.schema_version', true), ''), '0')::integer < TG_ARGV[0]::integer THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;

-- Older workers would not compare the packages with those of the lock file.
CREATE TRIGGER composes_with_lock BEFORE UPDATE OF lease_token ON composes FOR EACH ROW
    WHEN (OLD.lease_token IS NULL AND NEW.lease_token IS NOT NULL AND NEW.request ? 'lock')
    EXECUTE FUNCTION leave_to_newer_programs('32');

-- Frontends keep answers until they hear of a change. A change of the state is announced already. The
-- text for any other change that an answer shows is `compose ID`.
--
-- The function compares the columns, and not the condition of the trigger. A condition is read anew by
-- each statement, also by claims, for which it never holds.
CREATE FUNCTION composes_shown_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ROW(
        OLD.source, OLD.koji_event, OLD.koji_task_id, OLD.pungi_compose_id, OLD.state_reason, OLD.failure, OLD.time_started,
        OLD.time_done, OLD.time_to_expire, OLD.time_removed, OLD.removed_by, OLD.specification_key, OLD.result_id, OLD.joined_to
    ) IS DISTINCT FROM ROW(
        NEW.source, NEW.koji_event, NEW.koji_task_id, NEW.pungi_compose_id, NEW.state_reason, NEW.failure, NEW.time_started,
        NEW.time_done, NEW.time_to_expire, NEW.time_removed, NEW.removed_by, NEW.specification_key, NEW.result_id, NEW.joined_to
    ) THEN
        PERFORM pg_notify(TG_TABLE_SCHEMA || '_changes', 'compose ' || NEW.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER composes_shown_change AFTER UPDATE ON composes FOR EACH ROW
    WHEN (OLD.state = NEW.state) EXECUTE FUNCTION composes_shown_change();

-- The expiry of a result is that of all composes that show it. The text is `result ID`.
CREATE FUNCTION results_expiry_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA || '_changes', 'result ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER results_expiry_change AFTER UPDATE OF expires_at ON results
    FOR EACH ROW WHEN (OLD.expires_at <> NEW.expires_at) EXECUTE FUNCTION results_expiry_change();

-- The same for builds. The text of the notification is `build STATE ID`.
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

-- The first step that is claimed begins the build. A platform that is done waits again if its image
-- is gone before the list is written. Steps are announced as well, because workers wait for them, but
-- they have no events. The text of the notification is `step STATE ID`. A step that a worker can claim
-- is announced with the state 0.
CREATE FUNCTION build_steps_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN ((0, 0), (0, 1), (0, 2), (0, 4), (1, 0), (1, 2), (1, 4), (2, 0)) THEN
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
    -- The compose and the package that the question is about. Without them it is a dry run.
    compose_id       bigint,
    package          text,

    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
    CHECK ((compose_id IS NULL) = (package IS NULL))
);

-- Older workers would answer a question about a package as if it were a dry run.
CREATE TRIGGER questions_of_absence BEFORE UPDATE OF lease_token ON questions FOR EACH ROW
    WHEN (NEW.lease_token IS NOT NULL AND NEW.compose_id IS NOT NULL)
    EXECUTE FUNCTION leave_to_newer_programs('32');

-- The packages of lock files from which composes are made again. A worker compares them with its own
-- choice. A row is deleted some time after the last compose that needs it has ended.
CREATE TABLE locks (
    -- The SHA-256 of the lines of the packages. Requests have it as "lock".
    digest     text PRIMARY KEY,
    -- A line for each package, sorted: path, checksum, and name with epoch, version, release and
    -- architecture.
    packages   text NOT NULL,
    time_used  timestamptz NOT NULL DEFAULT now()
);

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
