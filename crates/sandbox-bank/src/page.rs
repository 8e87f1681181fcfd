//! The bank's page for people: the 3-D Secure challenge. Plain HTML with one form, no script and
//! nothing from elsewhere, so that a strict content security policy can stand before it.

use std::time::Duration;

use kernel::{Id, Merchant, Mode, Scope, Timestamp};
use uuid::Uuid;

use crate::bank::Bank;
use crate::charge::{Charge, FiledId, Phase, Source};
use crate::config::BankConfig;
use crate::desk::DeskError;
use crate::effect::Choice;

/// A page to be shown, with [`PAGE_POLICY`] as its content security policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// The whole document.
    pub html: String,
}

/// What follows the customer's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Send the browser there, with 303.
    RedirectTo(String),
    /// Show this.
    Page(Page),
}

/// The content security policy of all pages: their own style and nothing else. It leaves `form-action`
/// out, because browsers hold the redirect after the form against it too, and that one leads away.
pub const PAGE_POLICY: &str = "default-src 'none'; \
     style-src 'sha256-lh/LOFbt360WSNgIZ0Ccx99A/wiplsvCCGbhGe5SbpA='; \
     base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("page.css");

/// Where a charge's challenge is: `{public_url}/sandbox/challenge/` and the account's and the
/// charge's id in one, so that the page is found without an account's key.
pub(crate) fn challenge_url(config: &BankConfig, scope: Scope, id: FiledId) -> String {
    let (account, charge) = (scope.merchant.uuid().simple(), id.uuid().simple());
    format!("{}/sandbox/challenge/{account}{charge}", config.public_url.trim_end_matches('/'))
}

/// The account and charge of a challenge's name.
fn challenge_of(name: &str) -> Option<(Scope, FiledId)> {
    if name.len() != 64 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (account, charge) = name.split_at(32);
    let merchant = Id::<Merchant>::from_uuid(Uuid::try_parse(account).ok()?);
    Some((Scope { merchant, mode: Mode::Test }, Id::from_uuid(Uuid::try_parse(charge).ok()?)))
}

impl Bank {
    /// The page behind `/sandbox/challenge/{name}`. Its form posts `choice` to the same address.
    pub async fn challenge_page(&self, name: &str, now: Timestamp) -> Page {
        let ahead = match challenge_of(name) {
            Some((scope, _)) => self.ahead(scope, now).await.unwrap_or_default(),
            None => Duration::ZERO,
        };
        let now = now.plus(ahead);
        match self.challenged(name).await {
            Ok(charge) if charge.standing(charge.moment(now)).phase == Phase::Challenged => asking(&charge),
            Ok(charge) => answered(&charge),
            Err(error) => failed(&error),
        }
    }

    /// The form was sent: `choice` is `complete`, `fail` or `cancel`. A second choice changes nothing
    /// and leads the browser on like the first.
    pub async fn challenge_submit(&self, name: &str, choice: &str, now: Timestamp) -> Submitted {
        let Some(choice) = Choice::parse(choice) else {
            let text = "This form was not filled in as the page offers it.";
            return Submitted::Page(Page { status: 400, html: document("Not understood", &paragraph(text)) });
        };
        let charge = match self.challenged(name).await {
            Ok(charge) => charge,
            Err(error) => return Submitted::Page(failed(&error)),
        };
        let Some((scope, id)) = challenge_of(name) else {
            return Submitted::Page(failed(&DeskError::NotFound));
        };
        match self.choose(scope, id, choice, now).await {
            Ok(()) => Submitted::RedirectTo(charge.return_url),
            Err(error) => Submitted::Page(failed(&error)),
        }
    }

    async fn challenged(&self, name: &str) -> Result<Charge, DeskError> {
        let (scope, id) = challenge_of(name).ok_or(DeskError::NotFound)?;
        let found = self.load_charge(scope, id).await?;
        let (charge, _) = found.ok_or(DeskError::NotFound)?;
        // A UPI payer is asked in an app, not on this page.
        if matches!(charge.source, Source::Card { .. }) { Ok(charge) } else { Err(DeskError::NotFound) }
    }
}

fn asking(charge: &Charge) -> Page {
    let card = match &charge.source {
        Source::Card { last4, .. } => format!("<dt>Card</dt><dd>ending in {}</dd>", escape(last4)),
        Source::Upi { .. } => String::new(),
    };
    let description = charge
        .description
        .as_deref()
        .map_or_else(String::new, |text| format!("<dt>For</dt><dd>{}</dd>", escape(text)));
    let body = format!(
        "<p>Your bank asks you to confirm this payment.</p>\
         <dl><dt>Amount</dt><dd>{} {}</dd>{card}{description}</dl>\
         <form method=\"post\">\
         <button class=\"primary\" name=\"choice\" value=\"complete\">Complete authentication</button>\
         <button name=\"choice\" value=\"fail\">Fail authentication</button>\
         <button name=\"choice\" value=\"cancel\">Cancel</button>\
         </form>",
        charge.amount.to_major(),
        charge.amount.currency,
    );
    Page { status: 200, html: document("Confirm your payment", &body) }
}

fn answered(charge: &Charge) -> Page {
    let body = format!(
        "<p>This payment does not wait for you any more.</p><p><a href=\"{}\">Back to the shop</a></p>",
        escape(&charge.return_url)
    );
    Page { status: 200, html: document("Already answered", &body) }
}

fn failed(error: &DeskError) -> Page {
    let (status, title, text) = match error {
        DeskError::NotFound => (404, "Not found", "No payment waits for you here."),
        DeskError::Refused(_) | DeskError::Unavailable => {
            (503, "Not available", "The bank cannot be reached now. Please try again in a moment.")
        }
    };
    Page { status, html: document(title, &paragraph(text)) }
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", escape(text))
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title} · Sandbox bank</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1>\
         <p class=\"test\">Sandbox bank: a test page, no money moves.</p>{body}</main></body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest;

    /// Base 64 of RFC 4648, for one digest.
    fn base64(bytes: &[u8]) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
            let bits = bits << (8 * (3 - group.len()));
            for place in 0..4 {
                let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or(0);
                text.push(if place > group.len() {
                    '='
                } else {
                    ALPHABET.get(index).copied().map_or('?', char::from)
                });
            }
        }
        text
    }

    #[test]
    fn the_policy_allows_exactly_this_style() {
        let hash = base64(digest::digest(&digest::SHA256, STYLE.as_bytes()).as_ref());
        assert!(PAGE_POLICY.contains(&format!("'sha256-{hash}'")), "the style's hash is {hash}");
    }

    #[test]
    fn names_that_are_no_challenge_are_none() {
        assert_eq!(challenge_of(""), None);
        assert_eq!(challenge_of(&"é".repeat(32)), None);
        assert_eq!(challenge_of(&"g".repeat(64)), None);
        assert!(challenge_of(&"0a".repeat(32)).is_some());
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
