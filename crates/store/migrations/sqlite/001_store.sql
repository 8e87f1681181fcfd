-- The tables of the store's own contract.

-- Idempotency keys. The answer holds a snapshot of some kilobytes: a rowid table keeps its key's
-- b-tree narrow.
CREATE TABLE claim (
    scope BLOB NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    mac BLOB NOT NULL,
    operation TEXT,
    answer BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

-- Events, one row per commit and subject.
CREATE TABLE journal (
    scope BLOB NOT NULL,
    subject BLOB NOT NULL,
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    position INTEGER,
    recorded_at INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, subject, first_sequence)
) STRICT;
-- What waits for the sequencer: nothing, for the one writer numbers its own rows.
CREATE INDEX journal_unsequenced ON journal (scope, subject, first_sequence) WHERE position IS NULL;
-- Where consumers and public cursors read.
CREATE UNIQUE INDEX journal_position ON journal (position) WHERE position IS NOT NULL;

-- Ledger transfers, immutable.
CREATE TABLE transfer (
    scope BLOB NOT NULL,
    subject BLOB NOT NULL,
    operation TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    kind TEXT NOT NULL,
    phase TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (scope, subject, operation, ordinal)
) STRICT, WITHOUT ROWID;

-- Sums of the transfers.
CREATE TABLE balance (
    scope BLOB NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    stripe INTEGER NOT NULL,
    debits_posted INTEGER NOT NULL,
    credits_posted INTEGER NOT NULL,
    debits_pending INTEGER NOT NULL,
    credits_pending INTEGER NOT NULL,
    PRIMARY KEY (scope, account, currency, stripe)
) STRICT, WITHOUT ROWID;

-- Durable work. `promised` is 1 where a test merchant's clock moves the due time, else 0.
CREATE TABLE job (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    payload BLOB NOT NULL,
    promised INTEGER NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE INDEX job_due ON job (kind, due_at);

-- How far test merchants' clocks are ahead: a row per scope whose clock was moved.
CREATE TABLE clock (
    scope BLOB NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    offset_micros INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- Leadership. Rows stay, so that an epoch never comes twice.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
