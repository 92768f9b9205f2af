-- The span of the request that a compose was made for, as in the header `traceparent` of W3C Trace
-- Context. NULL: the request had none, and the process records no traces.
ALTER TABLE composes ADD traceparent text;
