-- A result has a time of expiry, at which the composes that show it expire as well. Workers can refuse
-- composes. New tables hold the turns of services, the ids of target directories, and the offer of the
-- frontend. A turn is the right of one process to do some work alone.

ALTER TABLE results ADD COLUMN expires_at timestamptz;
UPDATE results r SET expires_at = coalesce(
    (SELECT max(c.time_to_expire) FROM composes c WHERE c.result_id = r.id AND c.state = 2 AND c.removed_by IS NULL), r.retired_at, now());
ALTER TABLE results ALTER expires_at SET NOT NULL;
CREATE INDEX results_expiry ON results (expires_at) WHERE retired_at IS NULL;

ALTER TABLE composes ADD COLUMN refused_by text[], ADD COLUMN refused_since timestamptz;
DROP INDEX composes_expiry;
CREATE INDEX composes_expiry ON composes (time_to_expire) WHERE state = 4 OR (state = 2 AND removed_by IS NOT NULL);
CREATE INDEX composes_refused ON composes (refused_since) WHERE state = 0 AND refused_since IS NOT NULL;

ALTER TABLE attempts DROP CONSTRAINT attempts_outcome_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_outcome_check
    CHECK (outcome IN ('done', 'joined', 'failed', 'retry', 'unsigned', 'released', 'refused', 'lost', 'canceled'));

CREATE TABLE turns (
    work       text PRIMARY KEY,
    token      uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE target_directories (
    name text PRIMARY KEY,
    id   uuid NOT NULL
);

CREATE TABLE service_offer (
    is_offer boolean PRIMARY KEY DEFAULT true CHECK (is_offer),
    offer    jsonb NOT NULL,
    said_at  timestamptz NOT NULL DEFAULT now()
);
