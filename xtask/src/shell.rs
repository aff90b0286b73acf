//! The code blocks of documents: each names its language, and shell blocks are run by a test or say why not.

use crate::source::{self, Source};

/// In the place of the language of a block that has no fence.
const INDENTED: &str = "(indented)";

/// A fenced code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The file.
    pub page: String,
    /// The line of its fence.
    pub line: usize,
    /// What follows the fence: the language first.
    pub info: String,
    /// What is in it.
    pub code: String,
}

impl Block {
    /// Whether a test runs it.
    pub fn runs(&self) -> bool {
        self.info == "sh"
    }

    /// Whether it is for a shell, and says why no test runs it.
    pub fn says_why_not(&self) -> bool {
        let reason = self.info.strip_prefix("sh no-run=");
        reason.is_some_and(|reason| !reason.is_empty() && !reason.contains(' '))
    }
}

/// The code blocks of every document.
pub fn blocks() -> Vec<Block> {
    const DOCUMENTS: [&str; 7] = [
        "README.md",
        "CONTRIBUTING.md",
        "charts/clientele/README.md",
        "cluster/README.md",
        "tests/README.md",
        "examples/web-app/README.md",
        "docs",
    ];
    let files = DOCUMENTS.into_iter();
    let files = files.flat_map(|path| source::files(path, &["md"]));
    files.flat_map(|file| blocks_of(&file)).collect()
}

fn blocks_of(file: &Source) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    // Whether a line that is indented by four would be code: not within a list.
    let (mut after_blank, mut in_list) = (true, false);
    for (at, line) in file.text.lines().enumerate() {
        let is_indented = line.starts_with("    ");
        if !open && is_indented && after_blank && !in_list {
            blocks.push(Block {
                page: file.path.clone(),
                line: at + 1,
                info: INDENTED.to_owned(),
                code: String::new(),
            });
        }
        if !line.is_empty() && !line.starts_with(' ') {
            let item = line.trim_start_matches(|c: char| c.is_ascii_digit());
            in_list = ["- ", "* ", ". "].iter().any(|mark| item.starts_with(mark));
        }
        after_blank = line.is_empty();
        match (line.strip_prefix("```"), blocks.last_mut()) {
            (Some(_), _) if open => open = false,
            (Some(info), _) => {
                open = true;
                blocks.push(Block {
                    page: file.path.clone(),
                    line: at + 1,
                    info: info.to_owned(),
                    code: String::new(),
                });
            }
            (None, Some(block)) if open => {
                block.code.push_str(line);
                block.code.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

/// What is wrong with blocks.
pub fn judge(blocks: &[Block]) -> Vec<String> {
    let place = |block: &Block| format!("{}:{}", block.page, block.line);
    let wrong = blocks.iter().filter_map(|block| {
        let language = block.info.split(' ').next().unwrap_or_default();
        let fault = match language {
            INDENTED => "is indented, so it has no language: use a fence",
            "" => "has no language: sh, console (with output), yaml, text …",
            "bash" | "shell" => "is for a shell: say sh",
            "sh" if !block.runs() && !block.says_why_not() => {
                "is `sh` to be run, or `sh no-run=the-reason-in-one-word`"
            }
            _ => return None,
        };
        Some(format!("{}: {fault}", place(block)))
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::none;

    #[test]
    fn every_shell_block_is_run_or_says_why_not() {
        let blocks = blocks();
        none(&judge(&blocks), "code blocks of documents");
        let run = blocks.iter().filter(|block| block.runs()).count();
        let not = blocks.iter().filter(|block| block.says_why_not()).count();
        println!("shell blocks: {run} are run, {not} are not");
        assert!(run > 5, "{run} shell blocks are run");
    }

    #[test]
    fn a_planted_block_without_a_reason_is_found() {
        let file = Source {
            path: "a.md".to_owned(),
            text: "```\nx\n```\n```sh\nls\n```\n```sh no-run=\n```\n```bash\n```\n```sh no-run=a-pod\n```\n```yaml\n```\n\n    kubectl\n    get\n\n- item\n\n    of the item\n"
                .to_owned(),
        };
        let blocks = blocks_of(&file);
        assert_eq!(blocks.len(), 7);
        assert_eq!(blocks[1].code, "ls\n");
        let lines: Vec<String> = judge(&blocks)
            .iter()
            .filter_map(|fault| Some(fault.split(": ").next()?.to_owned()))
            .collect();
        assert_eq!(lines, ["a.md:1", "a.md:7", "a.md:9", "a.md:16"]);
    }
}
