//! Just enough of Rust's surface to measure it: what is code and what is comment or literal, and where
//! functions begin and end. A whole parser would cost more build time than it would tell.

/// The source with every comment and every literal's content turned into blanks. Line breaks stay, so that
/// line numbers agree with the original.
pub(crate) fn blank(source: &str) -> String {
    let characters: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let rest = characters.get(at..).unwrap_or_default();
        let previous_is_word =
            at.checked_sub(1).and_then(|before| characters.get(before)).copied().is_some_and(is_word);
        let length = match character {
            '/' if starts(rest, "//") => line_comment(rest),
            '/' if starts(rest, "/*") => block_comment(rest),
            '"' => string(rest),
            '\'' => character_literal(rest),
            'r' | 'b' | 'c' if !previous_is_word => prefixed_string(rest),
            _ => 0,
        };
        if length == 0 {
            out.push(character);
            at += 1;
            continue;
        }
        out.extend(rest.iter().take(length).map(|&blanked| if blanked == '\n' { '\n' } else { ' ' }));
        at += length;
    }
    out
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn starts(rest: &[char], text: &str) -> bool {
    text.chars().enumerate().all(|(index, expected)| rest.get(index) == Some(&expected))
}

fn line_comment(rest: &[char]) -> usize {
    rest.iter().position(|&character| character == '\n').unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = rest.get(at..).unwrap_or_default();
        if starts(here, "/*") {
            depth += 1;
            at += 2;
        } else if starts(here, "*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// From the opening quote to behind the closing one.
fn string(rest: &[char]) -> usize {
    let mut escaped = false;
    for (index, &character) in rest.iter().enumerate().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'x'` and `'\n'`, but not the lifetime `'a`.
fn character_literal(rest: &[char]) -> usize {
    if rest.get(1) == Some(&'\\') {
        let end = rest.iter().skip(3).position(|&character| character == '\'');
        return end.map_or(0, |end| end + 4);
    }
    if rest.get(2) == Some(&'\'') { 3 } else { 0 }
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`; zero if this is just a word that begins with the letter.
fn prefixed_string(rest: &[char]) -> usize {
    let letters = rest.iter().take_while(|character| matches!(character, 'r' | 'b' | 'c')).count();
    let raw = rest.iter().take(letters).any(|&character| character == 'r');
    let hashes = rest.iter().skip(letters).take_while(|&&character| character == '#').count();
    if letters > 2 || rest.get(letters + hashes) != Some(&'"') || (hashes > 0 && !raw) {
        return 0;
    }
    if !raw {
        return letters + string(rest.get(letters..).unwrap_or_default());
    }
    let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let mut at = letters + hashes + 1;
    while at < rest.len() {
        if starts(rest.get(at..).unwrap_or_default(), &end) {
            return at + end.len();
        }
        at += 1;
    }
    rest.len()
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of `fn`, counted from 1; attributes and documentation above it do not count.
    pub(crate) line: usize,
    /// From `fn` to the closing brace, both included.
    pub(crate) lines: usize,
}

/// All functions of a source that went through [`blank`], nested ones too.
pub(crate) fn functions(blanked: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (start, _) in blanked.match_indices("fn ") {
        let before = blanked.get(..start).unwrap_or_default();
        if before.chars().next_back().is_some_and(is_word) {
            continue;
        }
        let after = blanked.get(start + 3..).unwrap_or_default();
        let name: String = after.trim_start().chars().take_while(|&character| is_word(character)).collect();
        if name.is_empty() {
            continue;
        }
        let Some(length) = body_end(after) else { continue };
        let text = after.get(..length).unwrap_or_default();
        found.push(Function { name, line: count_lines(before) + 1, lines: count_lines(text) + 1 });
    }
    found
}

fn count_lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// The offset behind the closing brace of the first body; `None` for a declaration that ends with `;`.
fn body_end(text: &str) -> Option<usize> {
    let mut brackets = 0_i32;
    let mut braces = 0_i32;
    for (offset, character) in text.char_indices() {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 && brackets == 0 {
                    return Some(offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_become_blanks_and_lines_stay() {
        let source =
            "a // x {\n/* { /* } */ */ b\n\"{ \\\" \\\n }\" c r#\"}\" {\"# b\"}\" '{' '\\'' <'a> bar\"}\"";
        let blanked = blank(source);
        assert_eq!(blanked.matches('\n').count(), source.matches('\n').count());
        assert_eq!(blanked.chars().count(), source.chars().count());
        let words: Vec<&str> = blanked.split_whitespace().collect();
        assert_eq!(words, ["a", "b", "c", "<'a>", "bar"]);
    }

    #[test]
    fn functions_are_measured_from_fn_to_the_closing_brace() {
        let source = "/// fn no() {}\nfn one() {}\ntrait T { fn declared(&self); }\n\
                      fn two<'a>(x: [u8; 3]) -> u8\n\
                      where X: Y,\n{\n    let s = \"}\";\n    fn inner() {\n    }\n\
                      }\ntype F = fn (u8);";
        let named = |name: &str, line, lines| Function { name: name.into(), line, lines };
        assert_eq!(functions(&blank(source)), [named("one", 2, 1), named("two", 4, 7), named("inner", 8, 2)]);
    }
}
