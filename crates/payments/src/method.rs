//! Payment methods: what a customer pays with again, and a token of it per provider account.

use kernel::{Cell, Column, ColumnType, Id, Index, Kind, Record, Table, Timestamp};
use provider_kit::Account;
use serde::{Deserialize, Serialize};
use vault::cards::CardToken;

use crate::customer::CustomerKind;
use crate::payment::MethodSummary;

/// Marks ids of payment methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentMethodKind {}

impl Kind for PaymentMethodKind {
    const PREFIX: &'static str = "pm";
}

/// What a method is called at one provider account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountToken {
    /// The account.
    pub(crate) account: Id<Account>,
    /// The provider's token.
    pub(crate) token: String,
}

/// A stored payment method. Holds no card number: the providers keep the card, and the vault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// Its id.
    pub id: Id<PaymentMethodKind>,
    /// What may be shown of it.
    pub summary: MethodSummary,
    /// At most one per account; none once it is detached. UPI needs none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tokens: Vec<AccountToken>,
    /// Its card in the vault: from there it can be tokenized at further accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vaulted: Option<CardToken>,
    /// What the customer calls it, sealed for this method, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sealed: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Id<CustomerKind>>,
    /// Of its first charge that the customer began: what the network wants to see when the merchant
    /// charges without the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_transaction_id: Option<String>,
    /// How many events it has had that were nobody's: those of a customer's method are the customer's.
    pub(crate) events: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was detached: it cannot be charged any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detached_at: Option<Timestamp>,
}

impl PaymentMethod {
    /// The token at an account.
    pub(crate) fn token_at(&self, account: Id<Account>) -> Option<&str> {
        self.tokens.iter().find(|known| known.account == account).map(|known| known.token.as_str())
    }

    /// Notes a token at an account, unless there is one; whether it did.
    pub(crate) fn learn_token(&mut self, token: &AccountToken) -> bool {
        let is_new = self.token_at(token.account).is_none();
        if is_new {
            self.tokens.push(token.clone());
        }
        is_new
    }

    /// Whether it can be charged at an account, as far as tokens go.
    pub(crate) fn is_known_at(&self, account: Id<Account>) -> bool {
        match self.summary {
            MethodSummary::Upi { .. } => true,
            // Where its owner never agreed to more, they are asked again.
            MethodSummary::Paypal | MethodSummary::Hosted { .. } => {
                self.tokens.is_empty() || self.token_at(account).is_some()
            }
            MethodSummary::Card(_) => self.token_at(account).is_some(),
        }
    }

    /// Takes it from its customer: without tokens nobody can charge it.
    pub(crate) fn detach(&mut self, now: Timestamp) {
        self.customer = None;
        self.tokens.clear();
        self.vaulted = None;
        self.detached_at = Some(now);
    }
}

/// Methods by id, and those of a customer.
pub(crate) static PAYMENT_METHOD: Table = Table {
    name: "payment_method",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::nullable("customer", ColumnType::Uuid)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "payment_method_customer",
        columns: &["scope", "customer", "id"],
        unique: false,
        where_present: Some("customer"),
        where_absent: None,
    }],
    fillfactor: 90,
};

impl Record for PaymentMethod {
    const TABLE: &'static Table = &PAYMENT_METHOD;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.customer.into()]
    }
}
