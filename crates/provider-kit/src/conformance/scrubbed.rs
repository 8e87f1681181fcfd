//! What may never be written down: card numbers, security codes and secrets. Looks through everything
//! that the cases before sent, kept and printed.

use super::Wanted;
use super::driver::{Bench, Recorded};

type Named = (&'static str, Result<(), String>);

pub(super) fn run(bench: &Bench<'_>) -> Vec<Named> {
    let forbidden = Forbidden::of(bench);
    vec![
        ("requests", forbidden.in_requests(&bench.recorded)),
        ("distilled replies", forbidden.in_distilled(&bench.recorded)),
        ("debug output", forbidden.in_printed(&bench.printed)),
    ]
}

struct Forbidden {
    /// Card numbers and account secrets, whole. A security code has three digits, which stand
    /// anywhere by chance: it is looked for as a JSON or form value.
    texts: Vec<String>,
    /// Whether a card's number comes here at all.
    takes_cards: bool,
}

impl Forbidden {
    fn of(bench: &Bench<'_>) -> Self {
        let wanted = [Wanted::Approved, Wanted::Declined, Wanted::Challenged, Wanted::Unmapped];
        let mut texts = Vec::new();
        for card in wanted.into_iter().filter_map(|wanted| bench.fake.card(wanted)) {
            texts.push(card.number.digits().expose().to_string());
            for code in card.cvc.iter().map(kernel::Secret::expose) {
                texts.extend([format!("\"{code}\""), format!("={code}&"), format!("cvc={code}")]);
            }
        }
        for name in bench.provider.profile().secrets {
            texts.extend(bench.credentials.get(name).map(|secret| secret.expose().clone()));
        }
        Self { texts, takes_cards: bench.fake.card(Wanted::Approved).is_some() }
    }

    fn check(&self, place: &str, text: &str) -> Result<(), String> {
        if self.texts.iter().any(|forbidden| text.contains(forbidden.as_str())) {
            return Err(format!("{place} holds a card number, a security code or a secret"));
        }
        Ok(())
    }

    /// A request that holds a card says so, and none holds a secret: the transport attaches those.
    fn in_requests(&self, recorded: &[Recorded]) -> Result<(), String> {
        let takes_cards = self.takes_cards;
        if takes_cards && !recorded.iter().any(|recorded| recorded.request.carries_card) {
            return Err("no request carried a card: the check would prove nothing".to_owned());
        }
        for request in recorded.iter().map(|recorded| &recorded.request) {
            let step = request.step;
            self.check(&format!("the key of `{step}`"), &request.key)?;
            self.check(&format!("the URL of `{step}`"), &request.url)?;
            for (name, value) in &request.headers {
                self.check(&format!("the header {name} of `{step}`"), value)?;
            }
            if !request.carries_card {
                let body = String::from_utf8_lossy(&request.body);
                self.check(&format!("the body of `{step}`"), &body)?;
                if kernel::contains_card_number(&body) {
                    return Err(format!("the body of `{step}` holds a card number and does not say so"));
                }
            }
        }
        Ok(())
    }

    fn in_distilled(&self, recorded: &[Recorded]) -> Result<(), String> {
        for distilled in recorded.iter().filter_map(|recorded| recorded.distilled.as_ref()) {
            let text = distilled.facts().get();
            self.check(&format!("what is kept of `{}`", distilled.step), text)?;
            if kernel::contains_card_number(text) {
                return Err(format!("what is kept of `{}` holds a card number", distilled.step));
            }
        }
        Ok(())
    }

    fn in_printed(&self, printed: &[String]) -> Result<(), String> {
        printed.iter().try_for_each(|text| self.check("debug output", text))
    }
}
