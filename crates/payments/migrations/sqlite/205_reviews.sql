-- Operations that people must decide: a row from the commit that finds that out to the one that ends it, so
-- that they are listed and counted without an index on the hot rows of operations.
CREATE TABLE operation_review (
    scope BLOB NOT NULL,
    payment BLOB NOT NULL,
    local TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (scope, payment, local)
) STRICT, WITHOUT ROWID;
