//! How it is reached.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{DURATION, PORT, TEXT, WEB_ADDRESS};

pub(super) const SECTION: Section = Section {
    name: "server",
    about: "How it is reached.",
    keys: &[
        key!(
            "server.host",
            ["SERVER_HOST"],
            TEXT => server.host,
            Is("\"127.0.0.1\""),
            "The address to listen on; 0.0.0.0 is every address of the machine."
        ),
        key!(
            "server.port",
            ["SERVER_PORT"],
            PORT => server.port,
            Is("8000"),
            "The port to listen on; 0 takes a free one."
        ),
        key!(
            "server.public_url",
            [],
            WEB_ADDRESS => server.public_url,
            Unset("\"https://pay.example.com\""),
            "Where browsers and providers reach this installation. Without it: http:// and the address \
             above."
        ),
        key!(
            "server.answer_within",
            ["TRANSACTION_TIMEOUT_SECONDS"],
            DURATION => server.answer_within,
            Is("\"25s\""),
            "After which a call whose outcome is not known yet is answered with 202. The work goes on."
        ),
    ],
};
