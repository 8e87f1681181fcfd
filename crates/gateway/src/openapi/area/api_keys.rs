//! API keys.

use super::payments::{CURSOR, LIMIT};
use crate::input::tables;
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::form;
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Query, Sample, same_id};
use crate::problem::catalogue as code;
use crate::wire::{ApiKeyObject, ListObject};

const TAG: &str = "API keys";

const KEY: Content = Content::json::<ApiKeyObject<'static>>();

static ONWARD: &[Link] = &[same_id("get_api_key"), same_id("rotate_api_key"), same_id("revoke_api_key")];

static CREATE: Body = Body {
    name: "CreateApiKey",
    about: "What the key may do. Everything may be left out.",
    parser: &tables::CREATE_KEY,
    fields: &[
        Field::new(
            "kind",
            Form::Words(tables::KEY_KINDS),
            "For servers (`secret`, unless said otherwise) or for pages.",
        ),
        Field::new("scopes", Form::ListOf(form::SCOPES), "What a secret key may do; without it, everything."),
        Field::new(
            "expires_in_seconds",
            Form::Integer { min: 1, max: tables::KEY_LIFE_SECONDS_MAX as i64 },
            "After which it opens nothing; without it, never.",
        ),
        Field::new(
            "allowed_ips",
            Form::Schema(form::networks),
            "From where alone it may be used: addresses or ranges. Without it, from everywhere.",
        ),
    ],
    example: r#"{"scopes": ["payments:read", "refunds:write"], "expires_in_seconds": 7776000}"#,
};

static ROTATE: Body = Body {
    name: "RotateApiKey",
    about: "For how long both keys work.",
    parser: &tables::ROTATE_KEY,
    fields: &[Field::new(
        "overlap_seconds",
        Form::Integer { min: 0, max: tables::KEY_OVERLAP_SECONDS_MAX as i64 },
        "How long the old key goes on: a day, unless said otherwise; for the key that asks, an hour or more.",
    )],
    example: r#"{"overlap_seconds": 3600}"#,
};

static CREATE_API_KEY: Operation = Operation::new("create_api_key", "POST", "/api-keys", TAG)
    .says(
        "Create an API key",
        "Of the same merchant and mode as the key that asks, and able to do nothing which that one cannot. \
            The answer has the key itself, once: a repeat under the same idempotency key shows all but that.",
    )
    .takes(&[&CREATE])
    .answers(&[Answer::new(201, "The key.", KEY).links(ONWARD)])
    .problems(&[&[&code::BEYOND_OWN_KEY, &code::BUSY]])
    .samples(&[Sample::new("restricted", "For refunds alone, for ninety days")
        .body(r#"{"scopes": ["payments:read", "refunds:write"], "expires_in_seconds": 7776000}"#)]);

static LIST_API_KEYS: Operation = Operation::new("list_api_keys", "GET", "/api-keys", TAG)
    .says(
        "List API keys",
        "Those of this key's mode, newest first, ended ones too, without the keys themselves.",
    )
    .query(Query { parser: tables::KEY_LIST, parameters: &[LIMIT, CURSOR] })
    .answers(&[Answer::new(200, "A page of keys.", Content::json::<ListObject<ApiKeyObject<'static>>>())])
    .samples(&[Sample::new("page", "A page").of(Need::ApiKey).query("limit=1")]);

static GET_API_KEY: Operation = Operation::new("get_api_key", "GET", "/api-keys/{id}", TAG)
    .says("Get an API key", "All but the key itself.")
    .answers(&[Answer::new(200, "The key.", KEY)])
    .samples(&[Sample::new("by_id", "By id").of(Need::ApiKey)]);

static ROTATE_API_KEY: Operation = Operation::new("rotate_api_key", "POST", "/api-keys/{id}/rotate", TAG)
    .says(
        "Rotate an API key",
        "Makes a key that can do what this one can, and ends this one after the overlap: there is no moment \
            in which none works.",
    )
    .takes(&[&ROTATE])
    .answers(&[Answer::new(201, "The new key.", KEY)])
    .problems(&[&[&code::BEYOND_OWN_KEY, &code::API_KEY_ENDED, &code::API_KEY_IN_USE, &code::BUSY]])
    .samples(&[Sample::new("an_hour", "With an hour for both")
        .of(Need::ApiKey)
        .body(r#"{"overlap_seconds": 3600}"#)]);

static REVOKE_API_KEY: Operation = Operation::new("revoke_api_key", "POST", "/api-keys/{id}/revoke", TAG)
    .says(
        "Revoke an API key",
        "It opens nothing any more, on no node after five seconds. A key does not revoke itself.",
    )
    .takes(&[&super::payment_verbs::NOTHING])
    .answers(&[Answer::new(200, "The key as it stands now.", KEY)])
    .problems(&[&[&code::API_KEY_IN_USE, &code::BUSY]])
    .samples(&[Sample::new("revoked", "Revoked").of(Need::ApiKey)]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] =
    &[&CREATE_API_KEY, &LIST_API_KEYS, &GET_API_KEY, &ROTATE_API_KEY, &REVOKE_API_KEY];
