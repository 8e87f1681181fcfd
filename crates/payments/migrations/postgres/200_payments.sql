-- Payments and what belongs to them. Times are microseconds since the epoch; no foreign keys: a row's
-- owner is guarded by the payment's version.

-- Payments. Half of a page stays free, so that a settle is a heap-only update.
-- Beside these rows time costs a `job` row of the store's, with one index entry, wherever it still has
-- something to do: a payment that waits to be confirmed, that failed, or that holds money. It goes when its
-- time has come. A sale that succeeds at once, or waits for its payer, has none.
CREATE TABLE payment (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    customer uuid,
    order_id text COLLATE "C",
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX payment_customer ON payment (scope, customer, id) WHERE customer IS NOT NULL;
CREATE INDEX payment_order ON payment (scope, order_id, id) WHERE order_id IS NOT NULL;

-- One call that moves or holds money. `local` is its letter and ordinal.
CREATE TABLE operation (
    scope bytea NOT NULL,
    payment uuid NOT NULL,
    local text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    due_at bigint,
    state bytea NOT NULL,
    PRIMARY KEY (scope, payment, local)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX operation_due ON operation (due_at) WHERE due_at IS NOT NULL;

-- Refunds, beside the operations that carry them out.
CREATE TABLE refund (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    payment uuid NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX refund_payment ON refund (scope, payment, id);

-- Disputes.
CREATE TABLE dispute (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    payment uuid NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
CREATE INDEX dispute_payment ON dispute (scope, payment, id);

-- One charge per order: a row while the order has a charge that is open or paid.
CREATE TABLE order_guard (
    scope bytea NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    payment uuid NOT NULL,
    PRIMARY KEY (scope, order_id)
) WITH (fillfactor = 90);

-- Which operation a provider's reference stands for. Insert-only.
CREATE TABLE provider_reference (
    scope bytea NOT NULL,
    account uuid NOT NULL,
    reference text COLLATE "C" NOT NULL,
    payment uuid NOT NULL,
    local text COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, account, reference)
) WITH (fillfactor = 100);

-- Provider accounts; secrets are sealed in the state.
CREATE TABLE provider_account (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    provider text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 100);
CREATE UNIQUE INDEX provider_account_id ON provider_account (id);

-- A merchant's own settings for payments.
CREATE TABLE payment_settings (
    scope bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, name)
) WITH (fillfactor = 100);

-- Deliveries from providers, stored before they are believed.
CREATE TABLE inbox (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    payment uuid,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 70);
-- A payment's timeline shows what came in about it.
CREATE INDEX inbox_payment ON inbox (scope, payment, id) WHERE payment IS NOT NULL;
