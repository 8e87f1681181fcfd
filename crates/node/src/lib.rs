//! A node: the composition of one process, without its HTTP.
//!
//! Here alone stores, transport and providers meet the features. [`start`] opens the configured
//! stores, finds the server secret, makes what a first start makes and answers a [`Node`];
//! [`Node::run_background`] starts what runs by itself; [`Node::stop`] ends it. [`config`] reads the
//! settings, [`host`] is the one place that reads the system's clocks and randomness and starts
//! tasks. Simulation and tests hand in ports of their own.
//!
//! What is deliberately absent: HTTP routes, and every decision about a payment.

mod accounts;
mod alone;
mod background;
mod bank;
mod books;
mod cards;
pub mod config;
pub mod doctor;
mod error;
mod folder;
mod health;
pub mod host;
pub mod incidents;
mod mask;
pub mod metrics;
mod node;
mod process;
mod providers;
pub mod pulse;
mod routing;
mod sampling;
mod search;
mod stores;
pub mod traces;
mod work;

pub use accounts::account_names;
pub use alone::LoneBank;
pub use bank::{bank_config, outgoing};
pub use books::Books;
pub use cards::make_keystore;
pub use config::Config;
pub use error::StartError;
pub use folder::FolderLock;
pub use health::Health;
pub use host::Ports;
pub use mask::mask;
pub use metrics::Metrics;
pub use node::{Node, public_url, start, start_behind, start_over};
pub use providers::{ProviderFacts, providers};
pub use routing::read_routes;
pub use stores::{
    Stores, bank_schema, has_store, migrations, open, schema, search_schema, tables, vault_schema,
};
pub use traces::Traces;
pub use work::Work;
