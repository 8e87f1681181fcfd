//! What is read of a Markdown page: its fenced blocks and its links.

use std::path::Path;

use crate::tree::File;

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of the opening fence, counted from 1.
    pub(crate) line: usize,
    /// The first word behind the fence: `sh`, `http`, `output`, …
    pub(crate) language: String,
    /// What follows that word.
    pub(crate) info: String,
    /// The content, without the fence's own indentation.
    pub(crate) text: String,
}

/// Pages of the documentation: what stands at the top of the checkout and under `docs/`.
pub(crate) fn is_page(path: &str) -> bool {
    let markdown = Path::new(path).extension().is_some_and(|extension| extension == "md");
    markdown && (path.starts_with("docs/") || !path.contains('/'))
}

/// The fenced blocks in their order; one that is never closed reaches to the end of the page.
pub(crate) fn blocks(page: &File) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(Block, &str, usize)> = None;
    for (number, line) in page.lines() {
        let content = line.trim_start();
        if let Some((block, fence, indentation)) = &mut open {
            if content.starts_with(*fence) && content.chars().all(|character| fence.contains(character)) {
                blocks.extend(open.take().map(|(block, ..)| block));
            } else {
                let spaces = line.len() - content.len();
                block.text.push_str(line.get(spaces.min(*indentation)..).unwrap_or_default());
                block.text.push('\n');
            }
        } else if let Some(fence) = fence(content) {
            let info = content.get(fence.len()..).unwrap_or_default().trim();
            let (language, info) = info.split_once(char::is_whitespace).unwrap_or((info, ""));
            let (language, info) = (language.to_owned(), info.trim().to_owned());
            open = Some((
                Block { line: number, language, info, text: String::new() },
                fence,
                line.len() - content.len(),
            ));
        }
    }
    blocks.extend(open.map(|(block, ..)| block));
    blocks
}

/// The fence that a line opens: three or more backticks or tildes.
fn fence(content: &str) -> Option<&str> {
    let mark = content.chars().next().filter(|&mark| mark == '`' || mark == '~')?;
    let length = content.chars().take_while(|&character| character == mark).count();
    let fence = content.get(..length)?;
    let closed_on_the_line = content.get(length..)?.contains(mark);
    (length >= 3 && !closed_on_the_line).then_some(fence)
}

/// Links to other files of the checkout: the line and the path from the top. Anchors are dropped; links
/// out of the checkout and within the page are left out, as is what stands in code.
pub(crate) fn links(page: &File) -> Vec<(usize, String)> {
    let blocks = blocks(page);
    let in_block = |number: usize| {
        blocks
            .iter()
            .any(|block| (block.line..=block.line + block.text.lines().count() + 1).contains(&number))
    };
    let mut links = Vec::new();
    for (number, line) in page.lines().filter(|(number, _)| !in_block(*number)) {
        let prose: Vec<&str> = line.split('`').step_by(2).collect();
        for piece in prose.join("``").split("](").skip(1) {
            let target = piece.split([')', ' ', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                links.push((number, resolve(&page.path, target)));
            }
        }
    }
    links
}

/// `target` as seen from `page`, as a path from the top.
fn resolve(page: &str, target: &str) -> String {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> File {
        File { path: "docs/howto/a.md".into(), text: text.into() }
    }

    #[test]
    fn blocks_carry_line_language_info_and_text() {
        let text = "Text\n\n```sh norun: needs an account\nfoo\n```\n- list\n\
                    \x20 ~~~output\n  ```\n    deep\n  ~~~\n```http\nGET /";
        let block = |line, language: &str, info: &str, text: &str| Block {
            line,
            language: language.into(),
            info: info.into(),
            text: text.into(),
        };
        let expected = [
            block(3, "sh", "norun: needs an account", "foo\n"),
            block(7, "output", "", "```\n  deep\n"),
            block(11, "http", "", "GET /\n"),
        ];
        assert_eq!(blocks(&page(text)), expected);
    }

    #[test]
    fn links_are_paths_from_the_top() {
        let text = "[a](b.md#x) [c](../../README.md \"t\") [d](#here) [e](https://x.y)\n\
                    `[f](g)` [h](./)\n```\n[i](j)\n```";
        let expected = [(1, "docs/howto/b.md".into()), (1, "README.md".into()), (2, "docs/howto".into())];
        assert_eq!(links(&page(text)), expected);
    }
}
