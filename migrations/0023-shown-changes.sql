-- Frontends keep answers until they hear of a change. A change of the state is announced already. The
-- text for any other change that an answer shows is `compose ID`.
CREATE FUNCTION composes_shown_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA || '_changes', 'compose ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER composes_shown_change AFTER UPDATE ON composes FOR EACH ROW
    WHEN (OLD.state = NEW.state AND ROW(
        OLD.source, OLD.koji_event, OLD.koji_task_id, OLD.pungi_compose_id, OLD.state_reason, OLD.failure, OLD.time_started,
        OLD.time_done, OLD.time_to_expire, OLD.time_removed, OLD.removed_by, OLD.specification_key, OLD.result_id, OLD.joined_to
    ) IS DISTINCT FROM ROW(
        NEW.source, NEW.koji_event, NEW.koji_task_id, NEW.pungi_compose_id, NEW.state_reason, NEW.failure, NEW.time_started,
        NEW.time_done, NEW.time_to_expire, NEW.time_removed, NEW.removed_by, NEW.specification_key, NEW.result_id, NEW.joined_to
    )) EXECUTE FUNCTION composes_shown_change();

-- The expiry of a result is that of all composes that show it. The text is `result ID`.
CREATE FUNCTION results_expiry_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA || '_changes', 'result ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER results_expiry_change AFTER UPDATE OF expires_at ON results
    FOR EACH ROW WHEN (OLD.expires_at <> NEW.expires_at) EXECUTE FUNCTION results_expiry_change();
