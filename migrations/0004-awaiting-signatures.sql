-- Composes can wait until their packages are signed.

ALTER TABLE composes ADD COLUMN unsigned_since timestamptz;

ALTER TABLE attempts DROP CONSTRAINT attempts_outcome_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_outcome_check
    CHECK (outcome IN ('done', 'joined', 'failed', 'retry', 'unsigned', 'released', 'lost', 'canceled'));
