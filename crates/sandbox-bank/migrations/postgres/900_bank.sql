-- The simulated bank's own schema: charges and what was done to them, and notices that wait.
CREATE TABLE bank_filing (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 50);

CREATE TABLE bank_notice (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    due_at bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
CREATE INDEX bank_notice_due ON bank_notice (due_at);
