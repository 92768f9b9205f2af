-- The owners take turns at the workers.

CREATE TABLE owners (
    owner           text PRIMARY KEY,
    weight          float8 NOT NULL DEFAULT 1 CHECK (weight > 0),
    under_way_limit integer CHECK (under_way_limit > 0),
    compose_turn    float8 NOT NULL DEFAULT 0,
    step_turn       float8 NOT NULL DEFAULT 0
);

CREATE TABLE turn_clocks (
    queue text PRIMARY KEY,
    turn  float8 NOT NULL DEFAULT 0
);

INSERT INTO turn_clocks (queue) VALUES ('composes'), ('steps');

CREATE INDEX composes_queue_by_owner ON composes (owner, available_at, id) WHERE state = 0;
CREATE INDEX composes_held_by_owner ON composes (owner) WHERE lease_token IS NOT NULL;
CREATE INDEX composes_done_by_owner ON composes (owner, result_id) WHERE state = 2;
CREATE INDEX watches_standing_by_owner ON watches (owner) WHERE ended_at IS NULL;
