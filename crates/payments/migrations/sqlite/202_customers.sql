-- Customers and their payment methods. Both may have states of a kilobyte and more: rowid tables.

-- Customers. The reference is the merchant's own and unique while the customer exists; `email_mac` finds a
-- customer by an address that stands nowhere in plain; lists are narrowed by `created_at` and leave out
-- what has a `deleted_at`. What a deleted row keeps is its id, for the links of payments.
CREATE TABLE customer (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    reference TEXT,
    email_mac TEXT,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE UNIQUE INDEX customer_reference ON customer (scope, reference) WHERE reference IS NOT NULL;
CREATE INDEX customer_email ON customer (scope, email_mac, id) WHERE email_mac IS NOT NULL;

-- Payment methods; the index lists those of a customer.
CREATE TABLE payment_method (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    customer BLOB,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE INDEX payment_method_customer ON payment_method (scope, customer, id) WHERE customer IS NOT NULL;
