//! Where everything is kept.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{DATABASE_URL, TEXT};

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
            "database.folder",
            [],
            TEXT => database.folder,
            Is("\"./florin-data\""),
            "Without a database address, everything is kept in this folder, in SQLite."
        ),
    ],
};
