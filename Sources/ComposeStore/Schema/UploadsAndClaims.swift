extension Schema {
    /// The text of `migrations/0033-uploads-and-claims.sql`. A test compares them. It is not a resource as
    /// the others, because a resource changes the manifest of the package.
    static let uploadsAndClaims = """
        -- Tables are locked in the order in which transitions lock them: builds, composes, events.

        -- The minutes of an owner's builds within 24 hours are those of the builds that ended in that time.
        CREATE INDEX builds_ended_by_owner ON builds (owner, coalesce(time_done, 'infinity'::timestamptz));

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

        -- The condition of a trigger is read anew by each statement. That of composes_shown_change took a
        -- tenth of the time of a claim, although it can never hold for one. A function keeps its plans.
        DROP TRIGGER composes_shown_change ON composes;

        CREATE OR REPLACE FUNCTION composes_shown_change() RETURNS trigger LANGUAGE plpgsql AS $$
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

        -- Only triggers of composes write their events, and composes are never deleted. The key locked the
        -- row of a compose a second time for each event.
        ALTER TABLE events DROP CONSTRAINT events_compose_id_fkey;

        """
}
