-- Indexes for the other filters of the list that select few composes.

CREATE INDEX composes_by_label ON composes (label, id) WHERE label IS NOT NULL;
CREATE INDEX composes_by_koji_task ON composes (koji_task_id, id) WHERE koji_task_id IS NOT NULL;
CREATE INDEX composes_by_pungi_compose ON composes (pungi_compose_id, id) WHERE pungi_compose_id IS NOT NULL;
