-- Nodes and farms: engines that build images besides the workers themselves. A step names the nodes
-- that may build it, and the one that builds it.
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

ALTER TABLE workers ADD COLUMN native text[] NOT NULL DEFAULT '{}', ADD COLUMN emulated text[] NOT NULL DEFAULT '{}',
    ADD COLUMN image_slots integer NOT NULL DEFAULT 0, ADD COLUMN labels jsonb NOT NULL DEFAULT '{}';

ALTER TABLE build_steps ADD COLUMN farm text, ADD COLUMN nodes text[], ADD COLUMN node text,
    ADD COLUMN failed_nodes text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT build_steps_placement CHECK (farm IS NULL OR nodes IS NULL);

CREATE INDEX build_steps_of_node ON build_steps (node) WHERE state = 1;
