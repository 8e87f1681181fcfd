//! Strict JSON (RFC 8259): a borrowed tree, or the line, the column and the pointer of the first fault.
//!
//! Our own parser for three reasons: numbers keep their text (an amount of `1e3` or `10.0` must be
//! refused in exact words, never rounded through a float), a name that stands twice is an error
//! instead of a silent choice, and a fault says where it is. Texts without escapes are borrowed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Objects and arrays may lie this deep in one another.
pub const DEPTH_MAX: usize = 32;

/// Up to so many members are compared pair by pair; more go through a set.
const MEMBERS_COMPARED: usize = 16;

/// A name and its value.
pub type Member<'a> = (Cow<'a, str>, Node<'a>);

/// A JSON value. Not printable: it may hold a card number.
#[derive(Clone, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(&'a str),
    /// A text, unescaped.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object, in the order as written; no name stands twice.
    Object(Vec<Member<'a>>),
}

impl Node<'_> {
    /// The word for its type in messages.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())
    }
}

/// Why a body is not JSON, and where. Quotes nothing of it but the names on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The value that was being read, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong.
    pub reason: &'static str,
}

/// Reads one value and nothing after it.
pub fn parse(bytes: &[u8]) -> Result<Node<'_>, JsonError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse_text(text).map_err(|fault| fault.locate(text)),
        Err(error) => {
            // The valid part is read first: the first fault counts, and it gives the pointer.
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = std::str::from_utf8(valid).unwrap_or_default();
            let at = text.len();
            let fault = match parse_text(text) {
                Err(fault) if fault.at < at => fault,
                Err(fault) => Fault { at, reason: "the body is not valid UTF-8", path: fault.path },
                Ok(_) => Fault { at, reason: "the body is not valid UTF-8", path: Vec::new() },
            };
            Err(fault.locate(text))
        }
    }
}

/// Appends a segment to a JSON pointer, escaped as RFC 6901 says.
pub fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for c in segment.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

enum Segment<'a> {
    Name(Cow<'a, str>),
    Place(usize),
}

/// The path is collected while the error unwinds, so that a body without fault pays nothing for it.
struct Fault<'a> {
    at: usize,
    reason: &'static str,
    path: Vec<Segment<'a>>,
}

impl Fault<'_> {
    fn locate(self, text: &str) -> JsonError {
        let before = text.get(..self.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let mut pointer = String::new();
        for segment in self.path.iter().rev() {
            match segment {
                Segment::Name(name) => push_segment(&mut pointer, name),
                Segment::Place(place) => push_segment(&mut pointer, &place.to_string()),
            }
        }
        JsonError {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            pointer,
            reason: self.reason,
        }
    }
}

fn parse_text(text: &str) -> Result<Node<'_>, Fault<'_>> {
    let mut parser = Parser { text, bytes: text.as_bytes(), at: 0 };
    let node = parser.whole().map_err(|fault| *fault)?;
    Ok(node)
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

type Parsed<'a, T> = Result<T, Box<Fault<'a>>>;

impl<'a> Parser<'a> {
    fn whole(&mut self) -> Parsed<'a, Node<'a>> {
        if self.text.starts_with('\u{feff}') {
            return self.fault("the body begins with a byte order mark, which JSON does not allow");
        }
        let node = self.value(0)?;
        self.skip_blank();
        if self.at < self.bytes.len() { self.fault("something follows the JSON value") } else { Ok(node) }
    }

    fn fault<T>(&self, reason: &'static str) -> Parsed<'a, T> {
        Err(Box::new(Fault { at: self.at, reason, path: Vec::new() }))
    }

    /// A fault of the member of this name.
    fn fault_of<T>(&self, reason: &'static str, name: Cow<'a, str>) -> Parsed<'a, T> {
        Err(Box::new(Fault { at: self.at, reason, path: vec![Segment::Name(name)] }))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<'a, Node<'a>> {
        self.skip_blank();
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH_MAX => {
                self.fault("objects and arrays lie more than 32 deep in one another")
            }
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string().map(Node::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(_) => self.fault("expected a value"),
            None => self.fault("the body ends where a value is expected"),
        }
    }

    fn word(&mut self, word: &'static str, node: Node<'a>) -> Parsed<'a, Node<'a>> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            Ok(node)
        } else {
            self.fault("expected a value")
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<'a, Node<'a>> {
        self.at += 1;
        let mut members: Vec<Member<'a>> = Vec::new();
        let mut names: Option<BTreeSet<Cow<'a, str>>> = None;
        self.skip_blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Object(members));
        }
        members.reserve(8);
        loop {
            self.skip_blank();
            let start = self.at;
            let name = match self.peek() {
                Some(b'"') => self.string()?,
                Some(_) => return self.fault("expected a name in double quotes"),
                None => return self.fault("the body ends within an object"),
            };
            if stands_twice(&members, &mut names, &name) {
                self.at = start;
                return self.fault_of("this name stands twice in its object", name);
            }
            self.skip_blank();
            if self.peek() != Some(b':') {
                return self.fault_of("expected `:` after the name", name);
            }
            self.at += 1;
            let value = match self.value(depth) {
                Ok(value) => value,
                Err(mut fault) => {
                    fault.path.push(Segment::Name(name));
                    return Err(fault);
                }
            };
            members.push((name, value));
            self.skip_blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                Some(_) => return self.fault("expected `,` or `}`"),
                None => return self.fault("the body ends within an object"),
            }
        }
        self.at += 1;
        Ok(Node::Object(members))
    }

    fn list(&mut self, depth: usize) -> Parsed<'a, Node<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::List(items));
        }
        loop {
            match self.value(depth) {
                Ok(item) => items.push(item),
                Err(mut fault) => {
                    fault.path.push(Segment::Place(items.len()));
                    return Err(fault);
                }
            }
            self.skip_blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                Some(_) => return self.fault("expected `,` or `]`"),
                None => return self.fault("the body ends within an array"),
            }
        }
        self.at += 1;
        Ok(Node::List(items))
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    fn number(&mut self) -> Parsed<'a, Node<'a>> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.fault("a number does not begin with 0");
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Node::Number(self.text.get(start..self.at).unwrap_or_default()))
    }

    fn digits(&mut self) -> Parsed<'a, ()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.fault("expected a digit");
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    /// At the opening quote.
    fn string(&mut self) -> Parsed<'a, Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        self.plain();
        let plain = self.text.get(start..self.at).unwrap_or_default();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut unescaped = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(unescaped));
                }
                Some(b'\\') => unescaped.push(self.escape()?),
                Some(_) => return self.fault("a control character in a string must be escaped"),
                None => return self.fault("the body ends within a string"),
            }
            let start = self.at;
            self.plain();
            unescaped.push_str(self.text.get(start..self.at).unwrap_or_default());
        }
    }

    /// Goes over what needs no attention.
    fn plain(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at += end.unwrap_or(rest.len());
    }

    /// At the backslash.
    fn escape(&mut self) -> Parsed<'a, char> {
        let c = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            Some(_) => return self.fault("no such escape"),
            None => return self.fault("the body ends within a string"),
        };
        self.at += 2;
        Ok(c)
    }

    /// At the backslash of `\uXXXX`; characters beyond the first plane come as two.
    fn unicode(&mut self) -> Parsed<'a, char> {
        const LONE: &str = "half of a surrogate pair stands alone";
        let Some(first) = self.hex(self.at + 2) else {
            return self.fault("`\\u` needs four hexadecimal digits");
        };
        let (code, length) = match first {
            0xd800..=0xdbff => match (self.bytes.get(self.at + 6..self.at + 8), self.hex(self.at + 8)) {
                (Some(b"\\u"), Some(second @ 0xdc00..=0xdfff)) => {
                    (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12)
                }
                _ => return self.fault(LONE),
            },
            code => (code, 6),
        };
        match char::from_u32(code) {
            Some(c) => {
                self.at += length;
                Ok(c)
            }
            None => self.fault(LONE),
        }
    }

    fn hex(&self, from: usize) -> Option<u32> {
        let digits = self.text.get(from..from + 4)?;
        // `from_str_radix` would also take a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }
}

/// Small objects are compared member by member; large ones through a set, so that a body made of
/// names costs no quadratic time.
fn stands_twice<'a>(members: &[Member<'a>], names: &mut Option<BTreeSet<Cow<'a, str>>>, name: &str) -> bool {
    if members.len() < MEMBERS_COMPARED {
        return members.iter().any(|(known, _)| known == name);
    }
    let names = names.get_or_insert_with(|| members.iter().map(|(known, _)| known.clone()).collect());
    !names.insert(Cow::Owned(name.to_owned()))
}
