DROP INDEX audit_by_age;

-- The oldest entries are next to each other, so an index of ranges of blocks finds them. It costs an
-- insertion nearly nothing.
CREATE INDEX audit_by_age ON audit USING brin (created_at);
