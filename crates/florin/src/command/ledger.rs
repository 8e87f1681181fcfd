//! `florin ledger`.

use clap::Subcommand;
use node::Config;
use serde_json::json;

use super::with_node;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Proves the books: transfers against rules, balances against transfers, payments against both
    Check {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

impl LedgerCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        let Self::Check { json } = self;
        with_node(config, |node| async move {
            let books = node.check_books().await?;
            if json {
                let wrong: Vec<String> = books.wrong();
                output::json(&json!({
                    "balanced": books.is_clean(),
                    "transfers": books.ledger.transfers,
                    "payments": books.payments.payments,
                    "sheets": books.ledger.sheets,
                    "wrong": wrong,
                }));
            } else {
                output::line(books.to_string().trim_end());
            }
            if books.is_clean() { Ok(()) } else { Err(Failure::Failed("the books are wrong".to_owned())) }
        })
    }
}
