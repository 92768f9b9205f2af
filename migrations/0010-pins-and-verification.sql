-- All steps and attempts of a build use the same inputs, which the first step resolves. The result of
-- each platform is compared with the contents before.
ALTER TABLE builds ADD COLUMN pins jsonb, ADD COLUMN verification jsonb;
