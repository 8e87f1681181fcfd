-- What was said to providers and what they answered, redacted; kept where it did not end in success.
-- Insert-only, written in the background.
CREATE TABLE exchange (
    scope BLOB NOT NULL,
    payment BLOB NOT NULL,
    id BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, payment, id)
) STRICT;
