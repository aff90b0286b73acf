//! The reasons of conditions, from the remedies that `kubectl clientele why` prints.

use crate::project::Project;

use super::{escaped, head};

const SOURCE: &str = "src/kubectl/remedies.rs";

/// The page.
pub fn page(project: &Project) -> String {
    let mut page = head("Conditions and their reasons", &format!("`{SOURCE}`"));
    page.push_str(
        "Every object has the condition `Ready`; `Reconciling` and `Stalled` follow kstatus.\n\
        `Advisory` is True where an object works and a field of it has no effect, or probably not the one that was meant.\n\
        `kubectl clientele why NAME` prints the row of an object, and `kubectl clientele why --reason REASON` any row.\n\
        [Troubleshooting](../operations/troubleshooting.md) says more about each.\n\n\
        | reason | who acts | what it means | what to do |\n|---|---|---|---|\n",
    );
    let production = project.production();
    for module in production.filter(|module| module.file == SOURCE) {
        let tokens = &module.code.tokens;
        for (at, window) in tokens.windows(2).enumerate() {
            if window[0].text != "of" || window[1].text != "(" {
                continue;
            }
            // of("Reason", Actor::Team, "meaning", "todo")
            let rest = &tokens[at..];
            let end = rest.iter().position(|token| token.text == ")");
            let row = &rest[..end.unwrap_or(rest.len())];
            let texts: Vec<&str> = row
                .iter()
                .filter_map(|token| token.literal.as_deref())
                .collect();
            let actor = row.iter().skip_while(|token| token.text != "Actor").nth(2);
            if let ([reason, meaning, todo], Some(actor)) = (&texts[..], actor) {
                let actor = match actor.text.as_str() {
                    "Team" => "author of the manifest",
                    "Platform" => "platform team",
                    "Wait" => "the operator",
                    _ => "–",
                };
                let (meaning, todo) = (escaped(meaning), escaped(todo));
                page.push_str(&format!("| `{reason}` | {actor} | {meaning} | {todo} |\n"));
            }
        }
    }
    page
}
