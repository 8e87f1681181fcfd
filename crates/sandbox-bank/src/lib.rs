//! The simulated bank: charges cards and UPI payers who do not exist, and misbehaves on request.

mod account;
mod bank;
mod charge;
mod config;
mod effect;
mod files;
mod filing;
mod notice;
mod open;
mod page;
mod process;
mod render;
mod reply;
mod scenario;
mod token;
mod upi;
mod wire;

pub use account::{BankAccount, Keys};
pub use bank::Bank;
pub use charge::{Filed, FiledId};
pub use config::{BankConfig, Faults};
pub use effect::Choice;
pub use filing::{Event, FILING, MIGRATIONS, NOTICE, TABLES};
pub use notice::{NoticeId, OutgoingNotice, SIGNATURE_HEADER};
pub use process::{IN_PROCESS_URL, InProcess};
pub use reply::{BankReply, BankRequest};
pub use scenario::{SCENARIOS, Scenario, Strike};
