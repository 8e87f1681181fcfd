-- What lists filter by and search finds, one row a payment, filled from the journal in the background:
-- no commit of a payment waits for it. Every index ends in the id, so that a page is read in order from
-- one place. What each costs is said at its declaration (payments/src/search.rs).
CREATE TABLE payment_search (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    status text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL,
    currency text COLLATE "C" NOT NULL,
    customer uuid,
    method text COLLATE "C",
    provider text COLLATE "C",
    last4 text COLLATE "C",
    created_at bigint NOT NULL,
    network_transaction bigint,
    email bigint,
    events bigint NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
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
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    payment uuid NOT NULL,
    status text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
CREATE INDEX refund_search_status ON refund_search (scope, status, id);

-- How far the journal is read: one row. `form` is that of the rows; `rebuild_until` the position up to
-- which rows are written anew even if they seem to know their payment's last event.
CREATE TABLE search_cursor (
    scope bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    form bigint NOT NULL,
    rebuild_until bigint NOT NULL,
    PRIMARY KEY (scope, name)
) WITH (fillfactor = 50);
