-- Merchants, each under its own test scope.
CREATE TABLE merchant (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;

-- API keys of both worlds, under the merchant's test scope; of the key itself only a MAC is kept.
CREATE TABLE api_key (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;

-- For the one read that has no scope yet: finding the key of a request.
CREATE UNIQUE INDEX api_key_hash ON api_key (hash);
