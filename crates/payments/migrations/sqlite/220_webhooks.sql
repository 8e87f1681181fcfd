-- Events of other systems, signed with a secret that they share with a merchant. No index beside the
-- key: an event is read by the id that its system gave it.
CREATE TABLE signed_event (
    scope BLOB NOT NULL,
    tx_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, tx_id)
) STRICT;

-- Deliveries that could not be verified or understood. The slot is one of a fixed number for each source,
-- so that forged ones cannot fill a disk.
CREATE TABLE quarantine (
    scope BLOB NOT NULL,
    source TEXT NOT NULL,
    slot INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, source, slot)
) STRICT;
