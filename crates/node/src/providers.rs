//! The providers of this build, for people.

use provider_kit::Currencies;

/// What one provider can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderFacts {
    /// The name in requests and settings.
    pub id: &'static str,
    /// The name that people read.
    pub name: &'static str,
    /// What can be paid with.
    pub methods: Vec<&'static str>,
    /// In which currencies; empty: in all.
    pub currencies: Vec<String>,
}

/// All providers of this build.
pub fn providers() -> Vec<ProviderFacts> {
    let registry = provider_registry::all();
    let facts = registry.iter().map(|provider| {
        let profile = provider.profile();
        ProviderFacts {
            id: profile.id,
            name: profile.name,
            methods: profile.methods.iter().map(|method| method.as_str()).collect(),
            currencies: match profile.currencies {
                Currencies::All => Vec::new(),
                Currencies::Only(list) => list.iter().map(ToString::to_string).collect(),
            },
        }
    });
    facts.collect()
}
