//! Typed access to the members of an object: every refusal names the field and what is allowed.

use super::json::{Member, Node, push_segment};
use super::nearest::{is_quotable, nearest, suggestion};
use super::stripe;
use super::text::{TextRule, check_text};
use crate::problem::{Problem, catalogue as code};

/// The names of an object's fields.
#[derive(Debug)]
pub struct Schema {
    /// Served now.
    pub fields: &'static [&'static str],
    /// Known, and refused as not served yet.
    pub later: &'static [&'static str],
}

/// An object's members, all of whose names are known.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'t, 'a> {
    members: &'t [Member<'a>],
    base: &'static str,
}

impl<'t, 'a> Fields<'t, 'a> {
    /// The members of `node`, an object that stands at `base`; refuses names that `schema` lacks.
    pub fn of(node: &'t Node<'a>, base: &'static str, schema: &Schema) -> Result<Self, Problem> {
        let Node::Object(members) = node else {
            let detail = format!("Expected an object, found {}.", node.type_name());
            return Err(Problem::new(&code::INVALID_TYPE, detail).at(base));
        };
        let fields = Self { members, base };
        for (name, _) in members {
            if !schema.fields.contains(&name.as_ref()) {
                return Err(fields.unexpected(name, schema));
            }
        }
        Ok(fields)
    }

    fn unexpected(&self, name: &str, schema: &Schema) -> Problem {
        if schema.later.contains(&name) {
            let hint = stripe::hint(name, schema.fields).unwrap_or_default();
            let detail =
                format!("`{name}` is known, but this version does not serve it yet; leave it out.{hint}");
            return Problem::new(&code::UNSUPPORTED_FIELD, detail).at(self.pointer(name));
        }
        if !is_quotable(name) {
            let detail = "There is no such field; its name is too long, or not fit, to be repeated here.";
            return Problem::new(&code::UNKNOWN_FIELD, detail).at(self.base);
        }
        let hint = stripe::hint(name, schema.fields)
            .unwrap_or_else(|| suggestion(nearest(name, schema.fields.iter().chain(schema.later).copied())));
        let detail = format!("There is no field `{name}`.{hint}");
        Problem::new(&code::UNKNOWN_FIELD, detail).at(self.pointer(name))
    }

    /// The JSON pointer of a member.
    pub fn pointer(&self, name: &str) -> String {
        let mut pointer = String::with_capacity(self.base.len() + name.len() + 1);
        pointer.push_str(self.base);
        push_segment(&mut pointer, name);
        pointer
    }

    /// A member's value; `null` is the same as absent.
    pub fn get(&self, name: &str) -> Option<&'t Node<'a>> {
        let (_, node) = self.members.iter().find(|(known, _)| known == name)?;
        if *node == Node::Null { None } else { Some(node) }
    }

    /// A member's value, `null` included: in a patch `null` removes.
    pub fn named(&self, name: &str) -> Option<&'t Node<'a>> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    /// The one of these names that is given, and its value; refuses two.
    pub fn one_of(&self, names: &[&'static str]) -> Result<Option<(&'static str, &'t Node<'a>)>, Problem> {
        let mut given = names.iter().filter_map(|name| self.get(name).map(|node| (*name, node)));
        let first = given.next();
        match (first, given.next()) {
            (Some((first, _)), Some((second, _))) => Err(self.conflict(first, second)),
            (first, _) => Ok(first),
        }
    }

    /// The refusal of two fields that exclude one another.
    pub fn conflict(&self, first: &str, second: &str) -> Problem {
        let detail = format!("Send either `{first}` or `{second}`, not both.");
        Problem::new(&code::CONFLICTING_FIELDS, detail).at(self.pointer(second))
    }

    /// The refusal of an absence.
    pub fn missing(&self, name: &str, what: &str) -> Problem {
        Problem::new(&code::MISSING_FIELD, format!("`{name}` is needed: {what}.")).at(self.pointer(name))
    }

    /// The refusal of a type.
    pub fn wrong_type(&self, name: &str, expected: &str, node: &Node<'_>) -> Problem {
        let detail = format!("`{name}` must be {expected}; it is {}.", node.type_name());
        Problem::new(&code::INVALID_TYPE, detail).at(self.pointer(name))
    }

    /// A text that may be absent.
    pub fn text(&self, name: &str, rule: &TextRule) -> Result<Option<&'t str>, Problem> {
        self.get(name).map(|node| self.text_of(name, node, rule)).transpose()
    }

    /// The text that a member is.
    pub fn text_of(&self, name: &str, node: &'t Node<'a>, rule: &TextRule) -> Result<&'t str, Problem> {
        let Node::Text(text) = node else { return Err(self.wrong_type(name, "a string", node)) };
        check_text(text, rule, name).map_err(|problem| problem.at(self.pointer(name)))?;
        Ok(text)
    }

    /// A boolean that may be absent.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Node::Bool(flag)) => Ok(Some(*flag)),
            Some(node) => Err(self.wrong_type(name, "`true` or `false`", node)),
        }
    }

    /// One of a few words, or absent.
    pub fn word<T: Copy>(&self, name: &str, allowed: &[(&'static str, T)]) -> Result<Option<T>, Problem> {
        let Some(node) = self.get(name) else { return Ok(None) };
        let Node::Text(text) = node else { return Err(self.wrong_type(name, "a string", node)) };
        if let Some((_, value)) = allowed.iter().find(|(word, _)| word == text) {
            return Ok(Some(*value));
        }
        let words: Vec<String> = allowed.iter().map(|(word, _)| format!("`{word}`")).collect();
        let near = nearest(text, allowed.iter().map(|(word, _)| *word));
        let detail = format!("`{name}` must be one of {}.{}", words.join(", "), suggestion(near));
        Err(Problem::new(&code::INVALID_VALUE, detail).at(self.pointer(name)))
    }
}
