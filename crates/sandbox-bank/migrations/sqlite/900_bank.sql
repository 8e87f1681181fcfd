-- The simulated bank's own database: charges and what was done to them, and notices that wait.
CREATE TABLE bank_filing (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;

CREATE TABLE bank_notice (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bank_notice_due ON bank_notice (due_at);
