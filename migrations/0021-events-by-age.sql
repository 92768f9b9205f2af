-- Old events are deleted by their age. Such an index costs an insertion nearly nothing.
CREATE INDEX events_by_age ON events USING brin (published_at);
