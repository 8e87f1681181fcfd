-- Operations that people must decide: a row from the commit that finds that out to the one that ends it, so
-- that they are listed and counted without an index on the hot rows of operations.
CREATE TABLE operation_review (
    scope bytea NOT NULL,
    payment uuid NOT NULL,
    local text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (scope, payment, local)
) WITH (fillfactor = 90);
