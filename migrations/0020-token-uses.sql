-- A write with a token needs no entry in an index of tokens. The first use of a token from an address
-- is found without reading the token's other entries.
DROP INDEX audit_by_token;
CREATE INDEX audit_of_token_uses ON audit (token, address) WHERE action = 'token.use';
