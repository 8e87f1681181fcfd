-- Customers and their payment methods.

-- Customers. The reference is the merchant's own and unique while the customer exists; `email_mac` finds a
-- customer by an address that stands nowhere in plain; lists are narrowed by `created_at` and leave out
-- what has a `deleted_at`. What a deleted row keeps is its id, for the links of payments.
CREATE TABLE customer (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    reference text COLLATE "C",
    email_mac text COLLATE "C",
    created_at bigint NOT NULL,
    deleted_at bigint,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX customer_reference ON customer (scope, reference) WHERE reference IS NOT NULL;
CREATE INDEX customer_email ON customer (scope, email_mac, id) WHERE email_mac IS NOT NULL;

-- Payment methods; the index lists those of a customer.
CREATE TABLE payment_method (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    customer uuid,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
CREATE INDEX payment_method_customer ON payment_method (scope, customer, id) WHERE customer IS NOT NULL;
