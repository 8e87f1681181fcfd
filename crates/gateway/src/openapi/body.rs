//! Request bodies, described beside the parser: a test holds each description against the parser's own
//! table of fields, and asks the parser whether it keeps the types, words and limits that stand here.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::form;
use crate::input::{MINOR_UNITS_MAX, Schema, TextRule, URL_LENGTH_MAX};

/// A request body, or an object within one.
#[derive(Debug)]
pub struct Body {
    /// Its name among the document's components.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The parser's table of its fields.
    pub parser: &'static Schema,
    /// Its fields, the needed ones first.
    pub fields: &'static [Field],
    /// A whole body that the parser takes.
    pub example: &'static str,
}

/// One field of a body, or one parameter of a query.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Other names that the parser takes for it.
    pub aliases: &'static [&'static str],
    /// Whether it must be there.
    pub is_required: bool,
    /// What it may be.
    pub form: Form,
    /// What it says.
    pub about: &'static str,
}

/// What a value may be.
#[derive(Debug)]
pub enum Form {
    /// A text of these lengths.
    Text(&'static TextRule),
    /// A text of this pattern.
    Pattern(&'static str),
    /// A payment's client secret.
    ClientSecret,
    /// An IPv4 or IPv6 address.
    Ip,
    /// An e-mail address.
    Email,
    /// An absolute http(s) URL.
    Url,
    /// A decimal in major units, as a number or a text.
    Decimal,
    /// Minor units; from 0 if it says so, else from 1.
    Amount {
        /// Whether 0 is allowed.
        zero: bool,
    },
    /// A whole number within these bounds.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// The same, also written as a text of digits.
    IntegerOrText {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Some of these words.
    ListOf(&'static [&'static str]),
    /// A currency's code.
    Currency,
    /// What this schema says.
    Schema(fn(&mut SchemaGenerator) -> schemars::Schema),
    /// The merchant's own data.
    Metadata,
    /// Changes of the merchant's own data.
    MetadataPatch,
    /// This, or null.
    OrNull(&'static Self),
    /// An instant, RFC 3339.
    Instant,
    /// An object of its own.
    Object(&'static Body),
    /// One of several, under a name of their own.
    OneOf(&'static str, &'static [Self]),
}

impl Field {
    /// A field that may be left out.
    pub const fn new(name: &'static str, form: Form, about: &'static str) -> Self {
        Self { name, aliases: &[], is_required: false, form, about }
    }

    /// The same, and it must be there.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The same, also under other names.
    #[must_use]
    pub const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    fn schema(&self, components: &mut Components) -> Value {
        let about = with_aliases(self.about, self.aliases);
        let mut schema = self.form.schema(components);
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), Value::String(about));
        }
        schema
    }
}

/// The schemas that the document names, while it is being made.
pub struct Components {
    /// Makes those of the answers.
    pub generator: SchemaGenerator,
    /// Those of the bodies.
    pub bodies: Map<String, Value>,
}

/// A description that names what else is taken for the field.
pub(super) fn with_aliases(about: &str, aliases: &[&str]) -> String {
    if aliases.is_empty() {
        return about.to_owned();
    }
    let names: Vec<String> = aliases.iter().map(|name| format!("`{name}`")).collect();
    format!("{about} Also taken as {}.", names.join(", "))
}

/// The place of a component.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

impl Form {
    /// The JSON Schema.
    pub fn schema(&self, components: &mut Components) -> Value {
        match self {
            Self::Text(rule) => json!({
                "type": "string",
                "minLength": usize::from(!rule.may_be_empty),
                "maxLength": rule.length_max,
            }),
            Self::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
            Self::ClientSecret => json!({
                "type": "string", "pattern": "^pay_[0-7][0-9a-hjkmnp-tv-z]{25}_secret_[0-9a-f]{32}$",
            }),
            Self::Ip => json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
            Self::Email => json!({
                "type": "string", "format": "email", "maxLength": TextRule::EMAIL.length_max,
            }),
            Self::Url => json!({
                "type": "string", "format": "uri", "pattern": "^https?://", "maxLength": URL_LENGTH_MAX,
            }),
            Self::Decimal => components.generator.subschema_for::<form::DecimalAmount>().to_value(),
            Self::Amount { zero } => json!({
                "type": "integer", "format": "int64",
                "minimum": i32::from(!zero), "maximum": MINOR_UNITS_MAX,
            }),
            Self::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
            Self::IntegerOrText { min, max } => json!({
                "type": ["integer", "string"], "minimum": min, "maximum": max, "pattern": "^[0-9]{1,4}$",
            }),
            Self::Flag => json!({"type": "boolean"}),
            Self::Words(words) => json!({"type": "string", "enum": words}),
            Self::ListOf(words) => json!({
                "type": "array", "items": {"type": "string", "enum": words}, "uniqueItems": true,
            }),
            Self::Schema(schema) => schema(&mut components.generator).to_value(),
            Self::Currency => components.generator.subschema_for::<form::Currency>().to_value(),
            Self::Metadata => components.generator.subschema_for::<form::Metadata>().to_value(),
            Self::MetadataPatch => json!({
                "type": ["object", "null"],
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            }),
            Self::OrNull(form) => {
                let mut schema = form.schema(components);
                match schema.get_mut("type") {
                    Some(kind) => *kind = json!([kind.take(), "null"]),
                    None => schema = json!({"anyOf": [schema, {"type": "null"}]}),
                }
                schema
            }
            Self::Instant => json!({"type": "string", "format": "date-time"}),
            Self::Object(body) => {
                body.add_to(components);
                reference(body.name)
            }
            Self::OneOf(name, forms) => {
                if !components.bodies.contains_key(*name) {
                    let forms: Vec<Value> = forms.iter().map(|form| form.schema(components)).collect();
                    components.bodies.insert((*name).to_owned(), json!({"oneOf": forms}));
                }
                reference(name)
            }
        }
    }
}

impl Body {
    /// Every name that the parser takes in it.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().flat_map(|field| std::iter::once(field.name).chain(field.aliases.iter().copied()))
    }

    /// Names its schema in the document.
    pub(super) fn add_to(&self, components: &mut Components) {
        if components.bodies.contains_key(self.name) {
            return;
        }
        let mut properties = Map::new();
        for field in self.fields {
            properties.insert(field.name.to_owned(), field.schema(components));
        }
        let required: Vec<&str> =
            self.fields.iter().filter(|field| field.is_required).map(|field| field.name).collect();
        let mut schema = json!({
            "type": "object",
            "description": self.about,
            "properties": properties,
            "additionalProperties": false,
        });
        if let (false, Some(object)) = (required.is_empty(), schema.as_object_mut()) {
            object.insert("required".to_owned(), json!(required));
        }
        components.bodies.insert(self.name.to_owned(), schema);
    }
}
