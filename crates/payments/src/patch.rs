//! Changes of single fields: what a request does not name stays, what it names as null goes.

use serde_json::{Map, Value};

use crate::rejection::Rejection;

/// The most entries that metadata have.
const METADATA_ENTRIES_MAX: usize = 50;

/// What becomes of one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The request does not name it.
    #[default]
    Keep,
    /// It goes.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Patch<T> {
    /// Writes the change into the field.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

impl<T: Clone + PartialEq> Patch<T> {
    /// [`Patch::apply`], which answers whether anything changed.
    pub(crate) fn changes(&self, field: &mut Option<T>) -> bool {
        let before = field.clone();
        self.clone().apply(field);
        *field != before
    }
}

/// What becomes of metadata: each entry by itself; `None` removes it.
pub type MetadataPatch = Patch<Vec<(String, Option<Value>)>>;

impl MetadataPatch {
    /// Merges the entries into the metadata; refuses more entries than there may be.
    pub fn merge(self, metadata: &mut Map<String, Value>) -> Result<(), Rejection> {
        match self {
            Self::Keep => {}
            Self::Clear => metadata.clear(),
            Self::Set(entries) => {
                for (name, value) in entries {
                    match value {
                        Some(value) => drop(metadata.insert(name, value)),
                        None => drop(metadata.remove(&name)),
                    }
                }
            }
        }
        if metadata.len() > METADATA_ENTRIES_MAX {
            let message = format!("`metadata` has at most {METADATA_ENTRIES_MAX} entries");
            return Err(Rejection::Invalid { param: "/metadata", message });
        }
        Ok(())
    }
}
