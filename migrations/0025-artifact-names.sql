-- One repository holds the artifacts of several operating systems. So the name of an artifact has its
-- tag. The index of names stays as it is, because frontends of the version before name it.
ALTER TABLE images ADD CONSTRAINT images_named CHECK ((definition ? 'artifact') = (repository ~ ':[^/]*$'));
