-- The owner of a token hears before the token expires.
ALTER TABLE tokens ADD COLUMN warned_end timestamptz;
CREATE INDEX tokens_by_end ON tokens (expires_at) WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

ALTER TABLE events ALTER state DROP NOT NULL, ADD COLUMN token_id text REFERENCES tokens, ADD COLUMN token jsonb,
    DROP CONSTRAINT events_of_one,
    ADD CONSTRAINT events_of_one CHECK (
        (compose_id IS NULL) = (compose IS NULL) AND (build_id IS NULL) = (build IS NULL) AND (token_id IS NULL) = (token IS NULL)
        AND num_nonnulls(compose_id, build_id, token_id) = 1),
    ADD CONSTRAINT events_with_state CHECK ((state IS NULL) = (token_id IS NOT NULL));
