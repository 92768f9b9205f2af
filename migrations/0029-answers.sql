-- A question about a package that a compose lacks names the compose and the package. A question
-- without them is a dry run.
ALTER TABLE questions
    ADD COLUMN compose_id bigint,
    ADD COLUMN package    text,
    ADD CHECK ((compose_id IS NULL) = (package IS NULL));

-- The packages of lock files from which composes are made again. A worker compares them with its own
-- choice. A row is deleted some time after the last compose that needs it has ended.
CREATE TABLE locks (
    -- The SHA-256 of the lines of the packages. Requests have it as "lock".
    digest     text PRIMARY KEY,
    -- A line for each package, sorted: path, checksum, and name with epoch, version, release and
    -- architecture.
    packages   text NOT NULL,
    time_used  timestamptz NOT NULL DEFAULT now()
);
