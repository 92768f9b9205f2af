-- How much waits for each caller, and an index that takes sources of any length.

ALTER TABLE composes ADD COLUMN caller text;
ALTER TABLE watches ADD COLUMN caller text;

CREATE INDEX composes_waiting ON composes (caller) WHERE state = 0 AND caller IS NOT NULL;
CREATE INDEX watches_standing ON watches (caller) WHERE ended_at IS NULL AND caller IS NOT NULL;

DROP INDEX composes_by_source;
CREATE INDEX composes_by_source ON composes (left(source, 200), id);
