//! `GET /providers`

use axum::http::StatusCode;

use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::{ListObject, ProviderObject};

pub(crate) async fn list(call: Call) -> Answer {
    Parameters::parse(call.query(), &[], &[])?;
    let accounts = call.node.payments.accounts(call.scope()).await.map_err(from_payments)?;
    let data = call.node.registry.iter().map(|provider| {
        let profile = provider.profile();
        let own = accounts.iter().filter(|account| account.provider == profile.id);
        ProviderObject::of(profile, own.map(|account| account.id).collect())
    });
    json(StatusCode::OK, &ListObject::new(data.collect(), None))
}
