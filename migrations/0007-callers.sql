-- Composes and watches name the address that asked for them. So the waiting composes and the standing
-- watches of each caller can be counted. The index of sources accepts sources of any length.

ALTER TABLE composes ADD COLUMN caller text;
ALTER TABLE watches ADD COLUMN caller text;

CREATE INDEX composes_waiting ON composes (caller) WHERE state = 0 AND caller IS NOT NULL;
CREATE INDEX watches_standing ON watches (caller) WHERE ended_at IS NULL AND caller IS NOT NULL;

DROP INDEX composes_by_source;
CREATE INDEX composes_by_source ON composes (left(source, 200), id);
