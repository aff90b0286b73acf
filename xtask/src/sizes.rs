//! How much there is to read at once. What the codebases we admire keep: nineteen in twenty files under 400 lines,
//! nineteen in twenty functions under 40; and nothing far beyond.

use super::source::rust_files;

#[test]
fn files_can_be_read_in_one_go() {
    let sizes = rust_files("src")
        .iter()
        .filter(|file| !file.is_test())
        .map(|file| (lines(&file.text), file.path.clone()))
        .collect();
    judge(sizes, "files", 400, 500);
}

/// The lines before the unit tests.
fn lines(text: &str) -> usize {
    text.split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
        .lines()
        .count()
}

#[test]
fn functions_can_be_read_at_a_glance() {
    let sizes = rust_files("src")
        .iter()
        .filter(|file| !file.is_test())
        .flat_map(|file| functions(&file.path, &file.text))
        .collect();
    judge(sizes, "functions", 40, 70);
}

/// Each function with its lines from the signature to the closing brace, which rustfmt puts under the `fn`.
fn functions(path: &str, text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let declared = lines.iter().enumerate().filter(|(_, line)| {
        let words = line.trim_start().split(' ');
        let mut words =
            words.skip_while(|word| word.starts_with("pub") || ["const", "async"].contains(word));
        words.next() == Some("fn")
    });
    declared
        .filter_map(|(begin, line)| {
            let indent = &line[..line.len() - line.trim_start().len()];
            let close = format!("{indent}}}");
            let end = lines[begin..].iter().position(|line| *line == close)?;
            let one_line = line.ends_with('}') || line.ends_with(';');
            let name = line.trim().split('(').next().unwrap_or_default();
            Some((
                if one_line { 1 } else { end + 1 },
                format!("{path}: {name}"),
            ))
        })
        .collect()
}

fn judge(mut sizes: Vec<(usize, String)>, what: &str, usual: usize, most: usize) {
    sizes.sort_by(|a, b| b.cmp(a));
    let long: Vec<String> = sizes
        .iter()
        .take_while(|(lines, _)| *lines > usual)
        .map(|(lines, name)| format!("{lines} lines: {name}"))
        .collect();
    assert!(
        sizes[0].0 <= most,
        "the longest of the {what} has more than {most} lines:\n  {}\n",
        long.join("\n  ")
    );
    assert!(
        long.len() * 20 <= sizes.len(),
        "{} of {} {what} have more than {usual} lines; one in twenty may:\n  {}\n",
        long.len(),
        sizes.len(),
        long.join("\n  ")
    );
}
