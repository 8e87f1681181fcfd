-- The tables of the store's own contract. Times are microseconds since the epoch.
-- Tables that are updated often are vacuumed early: their rows turn over within minutes.

-- Idempotency keys. The answer makes a row five times as long. A page filled to 10 % has room for the
-- answers of all its claims; filled to 50 %, more than half of the answers went to other pages, each
-- with another entry in the random key's index, and the table was no smaller for it.
CREATE TABLE claim (
    scope bytea NOT NULL,
    key text COLLATE "C" NOT NULL,
    route text COLLATE "C" NOT NULL,
    mac bytea NOT NULL,
    operation text COLLATE "C",
    answer bytea,
    created_at bigint NOT NULL,
    PRIMARY KEY (scope, key)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1);
-- Keys that are too old to be kept are found by going through the table, a stretch at a time: an index by
-- time would cost every payment an entry, and one of page ranges is of no use once freed pages were used
-- again.

-- Events, one row per commit and subject.
CREATE TABLE journal (
    scope bytea NOT NULL,
    subject uuid NOT NULL,
    first_sequence bigint NOT NULL,
    count bigint NOT NULL,
    position bigint,
    recorded_at bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, subject, first_sequence)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);
-- What waits for the sequencer; empty most of the time.
CREATE INDEX journal_unsequenced ON journal (scope, subject, first_sequence) WHERE position IS NULL;
-- Where consumers and public cursors read.
CREATE UNIQUE INDEX journal_position ON journal (position) WHERE position IS NOT NULL;

-- Ledger transfers, immutable.
CREATE TABLE transfer (
    scope bytea NOT NULL,
    subject uuid NOT NULL,
    operation text COLLATE "C" NOT NULL,
    ordinal bigint NOT NULL,
    debit text COLLATE "C" NOT NULL,
    credit text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    kind text COLLATE "C" NOT NULL,
    phase text COLLATE "C" NOT NULL,
    recorded_at bigint NOT NULL,
    PRIMARY KEY (scope, subject, operation, ordinal)
) WITH (fillfactor = 100);

-- Sums of the transfers. Few rows, each updated by every batch.
CREATE TABLE balance (
    scope bytea NOT NULL,
    account text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    stripe bigint NOT NULL,
    debits_posted bigint NOT NULL,
    credits_posted bigint NOT NULL,
    debits_pending bigint NOT NULL,
    credits_pending bigint NOT NULL,
    PRIMARY KEY (scope, account, currency, stripe)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.2, autovacuum_vacuum_threshold = 1000);

-- Durable work. `promised` is 1 where a test merchant's clock moves the due time, else 0.
CREATE TABLE job (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    due_at bigint NOT NULL,
    attempts bigint NOT NULL,
    epoch bigint NOT NULL,
    payload bytea NOT NULL,
    promised bigint NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX job_due ON job (kind, due_at);

-- How far test merchants' clocks are ahead: a row per scope whose clock was moved.
CREATE TABLE clock (
    scope bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    offset_micros bigint NOT NULL,
    PRIMARY KEY (scope, name)
) WITH (fillfactor = 50);

-- Leadership. Rows stay, so that an epoch never comes twice.
CREATE TABLE lease (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    holder uuid NOT NULL,
    epoch bigint NOT NULL,
    expires_at bigint NOT NULL
) WITH (fillfactor = 50);

-- One row per batch, kept for a day: whoever lost the answer to a commit finds out here, by inserting
-- the same id as void.
CREATE TABLE batch (
    id uuid NOT NULL PRIMARY KEY,
    void boolean NOT NULL,
    recorded_at bigint NOT NULL
);
CREATE INDEX batch_recorded ON batch USING brin (recorded_at);
