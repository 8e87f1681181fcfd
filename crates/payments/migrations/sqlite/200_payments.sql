-- Payments and what belongs to them. Times are microseconds since the epoch; no foreign keys: a row's
-- owner is guarded by the payment's version.
-- Rows with a state of a kilobyte or more are rowid tables: in a b-tree of keys they would overflow.

-- Payments. Half of a page stays free, so that a settle is a heap-only update.
-- Beside these rows time costs a `job` row of the store's, with one index entry, wherever it still has
-- something to do: a payment that waits to be confirmed, that failed, or that holds money. It goes when its
-- time has come. A sale that succeeds at once, or waits for its payer, has none.
CREATE TABLE payment (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    customer BLOB,
    order_id TEXT,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE INDEX payment_customer ON payment (scope, customer, id) WHERE customer IS NOT NULL;
CREATE INDEX payment_order ON payment (scope, order_id, id) WHERE order_id IS NOT NULL;

-- One call that moves or holds money. `local` is its letter and ordinal.
CREATE TABLE operation (
    scope BLOB NOT NULL,
    payment BLOB NOT NULL,
    local TEXT NOT NULL,
    version INTEGER NOT NULL,
    due_at INTEGER,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, payment, local)
) STRICT;
CREATE INDEX operation_due ON operation (due_at) WHERE due_at IS NOT NULL;

-- Refunds, beside the operations that carry them out.
CREATE TABLE refund (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    payment BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE INDEX refund_payment ON refund (scope, payment, id);

-- Disputes.
CREATE TABLE dispute (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    payment BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dispute_payment ON dispute (scope, payment, id);

-- One charge per order: a row while the order has a charge that is open or paid.
CREATE TABLE order_guard (
    scope BLOB NOT NULL,
    order_id TEXT NOT NULL,
    payment BLOB NOT NULL,
    PRIMARY KEY (scope, order_id)
) STRICT, WITHOUT ROWID;

-- Which operation a provider's reference stands for. Insert-only.
CREATE TABLE provider_reference (
    scope BLOB NOT NULL,
    account BLOB NOT NULL,
    reference TEXT NOT NULL,
    payment BLOB NOT NULL,
    local TEXT NOT NULL,
    PRIMARY KEY (scope, account, reference)
) STRICT, WITHOUT ROWID;

-- Provider accounts; secrets are sealed in the state.
CREATE TABLE provider_account (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    provider TEXT NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX provider_account_id ON provider_account (id);

-- A merchant's own settings for payments.
CREATE TABLE payment_settings (
    scope BLOB NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- Deliveries from providers, stored before they are believed.
CREATE TABLE inbox (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    payment BLOB,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
-- A payment's timeline shows what came in about it.
CREATE INDEX inbox_payment ON inbox (scope, payment, id) WHERE payment IS NOT NULL;
