//! Instruments: what a method becomes at the account that charges it, and how it may be shown.

use kernel::{Id, Scope, Timestamp};
use provider_kit::{Call, Card, Context, Decline, DeclineCode, Instrument, Outcome as Told, Tokenize};

use crate::account::Opened;
use crate::apply::Report;
use crate::command::MethodInput;
use crate::operation::OperationId;
use crate::payment::{CardSummary, MethodSummary, PaymentKind};
use crate::rejection::PaymentsError;
use crate::service::Payments;

/// An instrument ready for the reserve, and how it may be shown; or why it can never be charged.
pub(crate) struct Ready {
    pub(crate) instrument: Instrument,
    /// Known before any call: an expired card, a refused tokenization.
    pub(crate) failure: Option<Report>,
}

impl Payments {
    /// Judges an instrument and, where the provider makes tokens, makes one. Moves no money.
    pub(crate) async fn ready(
        &self,
        opened: &Opened,
        id: Id<PaymentKind>,
        method: MethodInput,
    ) -> Result<Ready, PaymentsError> {
        let card = match method {
            MethodInput::Token(token) => {
                return Ok(Ready { instrument: Instrument::CardToken { token }, failure: None });
            }
            MethodInput::Upi { vpa } => {
                let payee = self.merchant(opened.scope).await?.upi_payee.clone();
                return Ok(Ready { instrument: Instrument::Upi { vpa, payee }, failure: None });
            }
            MethodInput::Card(card) => card,
        };
        let untokenized = Instrument::CardToken { token: String::new() };
        let now = self.now(opened.scope).await?;
        if is_expired(&card, now) {
            let decline = Decline::of(DeclineCode::ExpiredCard);
            let failure = Some(Report::Told(Told::Declined(decline)));
            return Ok(Ready { instrument: untokenized, failure });
        }
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce);
        let context = Context { now, nonce };
        let reference = OperationId { payment: id, kind: crate::OperationKind::Sale, ordinal: 0 }.reference();
        let call = Call::Tokenize(Tokenize { reference, card });
        let told = self.ask(opened, &context, &call).await;
        let failure = match told {
            Ok(Told::Tokenized { token, .. }) => {
                return Ok(Ready { instrument: Instrument::CardToken { token }, failure: None });
            }
            Ok(outcome @ (Told::Declined(_) | Told::Refused { .. })) => Report::Told(outcome),
            Ok(_) => Report::NotSent("the provider made no token".to_owned()),
            Err(reason) => Report::NotSent(reason),
        };
        Ok(Ready { instrument: untokenized, failure: Some(failure) })
    }

    /// How a method may be shown.
    pub(crate) fn summarise(
        &self,
        scope: Scope,
        method: &MethodInput,
    ) -> Result<MethodSummary, PaymentsError> {
        Ok(match method {
            MethodInput::Upi { vpa } => MethodSummary::Upi { vpa: vpa.clone() },
            MethodInput::Token(_) => MethodSummary::Card(CardSummary::default()),
            MethodInput::Card(card) => {
                let keys = self.vault.keys(scope.mode);
                let keys = keys.map_err(|error| PaymentsError::Internal(error.to_string()))?;
                MethodSummary::Card(CardSummary {
                    brand: Some(card.number.brand()),
                    last4: Some(card.number.last4().to_owned()),
                    bin: Some(card.number.bin().to_owned()),
                    exp_month: Some(card.exp_month),
                    exp_year: Some(card.exp_year),
                    fingerprint: Some(keys.fingerprint(card.number.digits().expose())),
                    ..CardSummary::default()
                })
            }
        })
    }
}

/// A card is good to the end of its month.
fn is_expired(card: &Card, now: Timestamp) -> bool {
    let (year, month, _) = now.civil_date();
    let (year, month) = (i32::from(year), i32::from(month));
    (i32::from(card.exp_year), i32::from(card.exp_month)) < (year, month)
}
