-- Which server secret each world was written with: a check value, and for test worlds without a
-- configured secret the secret itself. Rows of the installation: their scope is all zeros and `t`.
CREATE TABLE server_secret (
    scope bytea NOT NULL,
    world text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (scope, world)
);
