-- What a limited counter of volume was granted: one row for each currency and period (day or month) of
-- a merchant's world. The counter itself is a balance.
CREATE TABLE volume_grant (
    scope BLOB NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;
