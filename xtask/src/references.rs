//! The pages of `docs/reference/` that are generated from the sources, so that they cannot differ from the program, and the
//! picture that is drawn from the tables of the benchmarks.

#![expect(
    clippy::format_push_string,
    reason = "a developer writes the pages; speed does not matter"
)]

use std::{fs, io};

use crate::pictures;
use crate::project::Project;
use crate::source::{read, root};

mod audit;
mod command_line;
mod endpoints;
mod reasons;
mod resources;
mod values;

const FOLDER: &str = "docs/reference";
const CHART: &str = "charts/clientele/README.md";
const VALUES: &str = "charts/clientele/values.yaml";
const DEFAULTS: &str = "charts/clientele/defaults.yaml";

/// Every generated page and picture: its path and its text.
pub fn pages(project: &Project) -> Vec<(String, String)> {
    let mut pages = resources::pages();
    pages.push(("audit.md", audit::page(project)));
    pages.push(("command-line.md", command_line::page(project)));
    pages.push(("http-endpoints.md", endpoints::page(project)));
    pages.push(("reasons.md", reasons::page(project)));
    let table = values::table(&read(VALUES));
    pages.push(("chart-values.md", values::page(&table)));
    let mut pages: Vec<(String, String)> = pages
        .into_iter()
        .map(|(name, text)| (format!("{FOLDER}/{name}"), text))
        .collect();
    pages.push((CHART.to_owned(), values::in_readme(&read(CHART), &table)));
    pages.push((DEFAULTS.to_owned(), values::defaults(&read(VALUES))));
    let picture = pictures::cost_by_size(&read(pictures::SOURCE));
    let picture = picture.unwrap_or_else(|problem| panic!("{}: {problem}", pictures::SOURCE));
    pages.push((pictures::PATH.to_owned(), picture));
    pages
}

/// Writes them. Returns how many there are.
pub fn write(project: &Project) -> io::Result<usize> {
    let pages = pages(project);
    fs::create_dir_all(root().join(FOLDER))?;
    for (path, text) in &pages {
        fs::write(root().join(path), text)?;
    }
    Ok(pages.len())
}

/// The head of a page that a program writes.
fn head(title: &str, source: &str) -> String {
    format!(
        "# {title}\n\nGenerated from {source} by `make generate`; a test keeps it equal to the program.\n\n"
    )
}

/// A text for Markdown: `<name>` is no element, and a line break no cell's end.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(at, part)| {
        if at % 2 == 0 {
            part.replace('<', "\\<").replace('|', "\\|")
        } else {
            part.replace('|', "\\|")
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::here;

    #[test]
    fn the_generated_pages_are_fresh() {
        for (path, text) in pages(here()) {
            let committed = fs::read_to_string(root().join(&path)).unwrap_or_default();
            assert!(
                committed == text,
                "{path} is stale; run `cargo run -p xtask -- references` and commit what it writes"
            );
        }
    }

    #[test]
    fn the_generated_pages_have_what_the_program_has() {
        let pages = pages(here());
        let has = |page: &str, text: &str| {
            let found = pages.iter().find(|(path, _)| path.ends_with(page));
            found.is_some_and(|(_, page)| page.contains(text))
        };
        for (page, text) in [
            ("oauthclient.md", "`spec.redirectUris`"),
            ("command-line.md", "`--public-url"),
            ("command-line.md", "`CLIENTELE_PUBLIC_URL`"),
            ("command-line.md", "## kubectl clientele rotate"),
            ("http-endpoints.md", "`/introspect`"),
            ("http-endpoints.md", "| `unsupported_grant_type` |"),
            ("audit.md", "| `code_reuse` | WARN"),
            ("reasons.md", "| `ClientIdConflict` |"),
            ("chart-values.md", "| `database.type` |"),
        ] {
            assert!(has(page, text), "{page}: {text}");
        }
    }

    #[test]
    fn an_angle_bracket_and_a_bar_are_escaped() {
        assert_eq!(escaped("at <URL> or `<x|y>`"), "at \\<URL> or `<x\\|y>`");
    }
}
