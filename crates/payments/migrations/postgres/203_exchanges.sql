-- What was said to providers and what they answered, redacted; kept where it did not end in success.
-- Insert-only, written in the background.
CREATE TABLE exchange (
    scope bytea NOT NULL,
    payment uuid NOT NULL,
    id uuid NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, payment, id)
) WITH (fillfactor = 100);
