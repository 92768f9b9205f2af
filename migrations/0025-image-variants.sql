-- One repository holds the artifacts of several operating systems. Each of them is an image of its
-- own.
ALTER TABLE images ADD COLUMN variant text NOT NULL DEFAULT '';
DROP INDEX images_by_repository;
CREATE UNIQUE INDEX images_by_repository ON images (repository, variant) WHERE removed_at IS NULL;
