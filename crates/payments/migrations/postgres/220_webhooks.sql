-- Events of other systems, signed with a secret that they share with a merchant. No index beside the
-- key: an event is read by the id that its system gave it.
CREATE TABLE signed_event (
    scope bytea NOT NULL,
    tx_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, tx_id)
) WITH (fillfactor = 100);

-- Deliveries that could not be verified or understood. The slot is one of a fixed number for each source,
-- so that forged ones cannot fill a disk.
CREATE TABLE quarantine (
    scope bytea NOT NULL,
    source text COLLATE "C" NOT NULL,
    slot bigint NOT NULL,
    version bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, source, slot)
) WITH (fillfactor = 70);
