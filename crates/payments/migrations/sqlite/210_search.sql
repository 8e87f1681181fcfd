-- What lists filter by and search finds, one row a payment, filled from the journal in the background:
-- no commit of a payment waits for it. Every index ends in the id, so that a page is read in order from
-- one place. What each costs is said at its declaration (payments/src/search.rs).
CREATE TABLE payment_search (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    customer BLOB,
    method TEXT,
    provider TEXT,
    last4 TEXT,
    created_at INTEGER NOT NULL,
    network_transaction INTEGER,
    email INTEGER,
    events INTEGER NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_search_status ON payment_search (scope, status, id);
CREATE INDEX payment_search_amount ON payment_search (scope, amount_minor, id);
CREATE INDEX payment_search_currency ON payment_search (scope, currency, id);
CREATE INDEX payment_search_method ON payment_search (scope, method, id) WHERE method IS NOT NULL;
CREATE INDEX payment_search_provider ON payment_search (scope, provider, id) WHERE provider IS NOT NULL;
CREATE INDEX payment_search_last4 ON payment_search (scope, last4, id) WHERE last4 IS NOT NULL;
CREATE INDEX payment_search_network ON payment_search (scope, network_transaction, id)
    WHERE network_transaction IS NOT NULL;
CREATE INDEX payment_search_email ON payment_search (scope, email, id) WHERE email IS NOT NULL;

-- The same for refunds, by status.
CREATE TABLE refund_search (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    payment BLOB NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_search_status ON refund_search (scope, status, id);

-- How far the journal is read: one row. `form` is that of the rows; `rebuild_until` the position up to
-- which rows are written anew even if they seem to know their payment's last event.
CREATE TABLE search_cursor (
    scope BLOB NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    form INTEGER NOT NULL,
    rebuild_until INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;
