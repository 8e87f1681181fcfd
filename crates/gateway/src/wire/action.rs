//! `next_action`: what the customer must do.

use std::collections::BTreeMap;

use provider_kit::Action;
use schemars::JsonSchema;
use serde::Serialize;

use super::qr::qr_data_url;

/// The action as merchants and pages read it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NextAction")]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ActionObject<'a> {
    /// Go to a page.
    Redirect {
        /// The page.
        url: &'a str,
    },
    /// Prove to the issuer who pays.
    ThreeDSecure {
        /// The challenge.
        url: &'a str,
    },
    /// Scan a code.
    QrCode {
        /// What it says.
        payload: &'a str,
        /// The code itself, as a PNG data URL; absent if the payload is too long for a code.
        #[serde(skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// Open an app.
    AppLink {
        /// The link.
        url: &'a str,
    },
    /// Go to a page by sending it a form: a POST of the fields, as `application/x-www-form-urlencoded`.
    Form {
        /// The page.
        url: &'a str,
        /// What it says.
        fields: FormFields<'a>,
    },
}

/// The fields of a form, by their names. A schema of its own: generators of clients want a name for it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FormFields")]
pub struct FormFields<'a>(&'a BTreeMap<String, String>);

impl<'a> ActionObject<'a> {
    /// The wire form of an action.
    pub fn of(action: &'a Action) -> Self {
        match action {
            Action::Redirect { url } => Self::Redirect { url },
            Action::ThreeDSecure { url } => Self::ThreeDSecure { url },
            Action::QrCode { payload } => Self::QrCode { payload, image: qr_data_url(payload) },
            Action::AppLink { url } => Self::AppLink { url },
            Action::Form { url, fields } => Self::Form { url, fields: FormFields(fields) },
        }
    }
}
