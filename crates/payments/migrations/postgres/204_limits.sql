-- What a limited counter of volume was granted: one row for each currency and period (day or month) of
-- a merchant's world. The counter itself is a balance.
CREATE TABLE volume_grant (
    scope bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, name)
) WITH (fillfactor = 100);
