-- The card vault: in a store of its own, away from everything that names a person or a payment.

-- Which key-encryption keys cards are under, with a check value of each: one row, of the installation.
CREATE TABLE vault_keyring (
    scope BLOB NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT;

-- Cards by token: the sealed number and the wrapped data key. A number is there once per scope, found by
-- its keyed fingerprint. `kek` finds what a rotation still has to wrap anew; it changes once a rotation.
-- A destroyed card keeps its row, without any of these.
CREATE TABLE vault_card (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    fingerprint TEXT,
    kek BLOB,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE UNIQUE INDEX vault_card_fingerprint ON vault_card (scope, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX vault_card_kek ON vault_card (kek, scope, id) WHERE kek IS NOT NULL;

-- Who holds a card: payment methods of the main store. Until one is confirmed it is asked about at
-- `check_at`, because its commit there may have failed.
CREATE TABLE vault_holder (
    scope BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    card BLOB NOT NULL,
    check_at INTEGER,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE INDEX vault_holder_card ON vault_holder (scope, card, id);
CREATE INDEX vault_holder_check ON vault_holder (check_at, scope, id) WHERE check_at IS NOT NULL;
