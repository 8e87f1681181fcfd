//! Where everything is kept.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{CONNECTIONS, DATABASE_URL, TEXT};

pub(super) const SECTION: Section = Section {
    name: "database",
    about: "Where everything is kept.",
    keys: &[
        key!(
            "database.url",
            ["DATABASE_URL"],
            DATABASE_URL => database.url,
            Unset("\"postgres://localhost/florin\""),
            "postgres://user:password@host/database moves everything to PostgreSQL."
        ),
        key!(
            "database.max_connections",
            ["DB_MAX_OPEN_CONNS"],
            CONNECTIONS => database.max_connections,
            Unset("25"),
            "The most connections of one node to PostgreSQL for payments; the search has 3, the card \
             vault 2 and the sandbox bank 3 more of their own. Without it: 4 for reads and one or a few \
             for writes, as the processors are."
        ),
        key!(
            "database.folder",
            [],
            TEXT => database.folder,
            Is("\"./florin-data\""),
            "Without a database address, everything is kept in this folder, in SQLite."
        ),
    ],
};
