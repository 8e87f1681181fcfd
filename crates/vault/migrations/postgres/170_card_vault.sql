-- The card vault: in a store of its own, away from everything that names a person or a payment.

-- Which key-encryption keys cards are under, with a check value of each: one row, of the installation.
CREATE TABLE vault_keyring (
    scope bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, name)
);

-- Cards by token: the sealed number and the wrapped data key. A number is there once per scope, found by
-- its keyed fingerprint. `kek` finds what a rotation still has to wrap anew; it changes once a rotation.
-- A destroyed card keeps its row, without any of these.
CREATE TABLE vault_card (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    fingerprint text COLLATE "C",
    kek uuid,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX vault_card_fingerprint ON vault_card (scope, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX vault_card_kek ON vault_card (kek, scope, id) WHERE kek IS NOT NULL;

-- Who holds a card: payment methods of the main store. Until one is confirmed it is asked about at
-- `check_at`, because its commit there may have failed.
CREATE TABLE vault_holder (
    scope bytea NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    card uuid NOT NULL,
    check_at bigint,
    state bytea NOT NULL,
    PRIMARY KEY (scope, id)
) WITH (fillfactor = 90);
CREATE INDEX vault_holder_card ON vault_holder (scope, card, id);
CREATE INDEX vault_holder_check ON vault_holder (check_at, scope, id) WHERE check_at IS NOT NULL;
