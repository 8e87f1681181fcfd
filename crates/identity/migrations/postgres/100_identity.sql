-- Merchants, each under its own test scope.
CREATE TABLE merchant (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
);

-- API keys of both worlds, under the merchant's test scope; of the key itself only a MAC is kept.
CREATE TABLE api_key (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    hash bytea NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
);

-- For the one read that has no scope yet: finding the key of a request.
CREATE UNIQUE INDEX api_key_hash ON api_key (hash);
