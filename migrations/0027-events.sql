-- Events have positions, and each subscriber has a cursor of its own.
ALTER TABLE events ADD COLUMN position bigint, ADD COLUMN is_announced boolean NOT NULL DEFAULT false;

-- The events that were published are delivered already.
UPDATE events e SET position = p.position
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS position FROM events WHERE published_at IS NOT NULL) p WHERE e.id = p.id;

ALTER TABLE events ADD CONSTRAINT events_published CHECK (position IS NULL OR published_at IS NOT NULL);
DROP INDEX events_unpublished;
CREATE UNIQUE INDEX events_by_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_unnumbered ON events (id) WHERE position IS NULL;
CREATE INDEX events_of_compose ON events (compose_id, position) WHERE compose_id IS NOT NULL;
CREATE INDEX events_of_build ON events (build_id, position) WHERE build_id IS NOT NULL;

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

INSERT INTO event_clock (position, begins_at) SELECT n, n FROM (SELECT count(position) AS n FROM events) e;

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
CREATE OR REPLACE FUNCTION composes_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (compose_id, state, compose, is_announced)
        SELECT n.id, n.state, to_jsonb(n), true FROM submitted n ORDER BY n.id;
    PERFORM pg_notify(TG_TABLE_SCHEMA, n.state || ' ' || n.id) FROM submitted n;
    RETURN NULL;
END
$$;

-- The one place for everything that a change of state must do, in whichever statement: be legal and be
-- recorded. The sequencer announces it.
CREATE OR REPLACE FUNCTION composes_state_changed() RETURNS trigger LANGUAGE plpgsql AS $$
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
