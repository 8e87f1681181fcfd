//! The simulated bank: charges cards and UPI payers who do not exist, and misbehaves on request.
//!
//! A pure state machine ([`Bank::handle`]: a request and the time in, a reply out) over records of its
//! own; [`InProcess`] is the `Exchange` onto it, `florin sandbox serve` puts HTTP before the same
//! handler. It knows nothing of payments or of its callers' databases. A charge is a list of dated
//! facts, some of them in the future, and what it is at a moment is the fold of those that are due:
//! time is the `now` of each request, and nothing has to run for a delayed approval to come true.
//!
//! # The interface
//! JSON over HTTP below the bank's root, `Authorization: Bearer sbk_…`; every well-formed key is an
//! account ([`Keys`]). Money is in minor units with its ISO 4217 code. Unknown fields are refused.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /v1/tokens` | `number exp_month exp_year cvc? holder?` | `{object: token, id}` |
//! | `POST /v1/charges` | see below | charge |
//! | `POST /v1/charges/{charge}/captures` | `reference amount currency final` | capture |
//! | `POST /v1/charges/{charge}/voids` | `reference amount currency` | void |
//! | `POST /v1/charges/{charge}/refunds` | `reference amount currency reason?` | refund |
//! | `POST /v1/charges/{charge}/cancels` | `reference` | cancel |
//! | `GET /v1/operations/{name}` | | any of these, as it stands |
//! | `POST /v1/clock` | `offset_micros` | `{object: clock, offset_micros}` |
//! | `GET /v1/account` | | `{object: account, id, webhook_secret}` |
//!
//! A new charge is `reference amount currency capture source return_url description?
//! expires_in_seconds? notice_url?`; its `source` is `{type: card, token}` or `{type: upi, payer_vpa?,
//! payee_vpa, payee_name}`. A `{charge}` or `{name}` is the bank's id (`sbx_…`) or the account's
//! reference. A charge's `status` is `requires_action` (with `action`: `three_d_secure {url}` or
//! `qr_code {payload}`), `processing`, `authorized`, `captured`, `voided`, `declined` (with `decline
//! {code, network_code?}`), `expired` or `cancelled`; an effect's is `succeeded`, `pending` or `failed`.
//! A void releases what is held, or reverses a charge that was captured with its approval. Errors are
//! `{error: {code, message}}` with 400, 401, 404, 409, 422, 429 or 503, and mean that nothing was done.
//!
//! **Idempotency.** A reference is used once in an account, for one thing; the header
//! `Idempotency-Key` repeats it. The same path and body again gets the first answer again, word for
//! word; another gets 409 `key_reused`, whatever it asks for.
//!
//! **Time** is the real one, or as far ahead of it as the account has moved its clock by
//! `POST /v1/clock`; it never goes back.
//!
//! **Notices** tell what no answer told, or everything ([`BankConfig::notifies_all`]): `{object: event,
//! id, type, account, created, data}`, type `charge.updated`, `refund.updated`, `dispute.updated` and
//! so on, `data` the object as of that moment. [`SIGNATURE_HEADER`] is `t=<unix seconds>,v1=<hex>`,
//! HMAC-SHA-256 under the account's `webhook_secret` over `{t}.{body}`.
//!
//! [`SCENARIOS`] is what each test card does.

mod account;
mod bank;
mod charge;
mod clock;
mod config;
mod desk;
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
pub use clock::clock_request;
pub use config::{BankConfig, Faults};
pub use desk::{DeskError, StatementLine};
pub use effect::Choice;
pub use filing::{Event, FILING, MIGRATIONS, NOTICE, TABLES};
pub use notice::{NoticeId, OutgoingNotice, SIGNATURE_HEADER};
pub use page::{PAGE_POLICY, Page, Submitted};
pub use process::{IN_PROCESS_URL, InProcess};
pub use reply::{BankReply, BankRequest};
pub use scenario::{SCENARIOS, Scenario, Strike};
