-- The advisory lock of the worker that makes the attempt. An older worker has none.
ALTER TABLE attempts ADD COLUMN presence bigint;
