//! How much there is to read at once: at most 400 lines of production code in a file, and 60 in a function.

use crate::known::Findings;
use crate::project::Project;

/// The most lines of production code in a file.
const FILE: usize = 400;

/// The most lines of a function, from its signature to its closing brace.
const FUNCTION: usize = 60;

/// Every file and function of production code that is longer, with its lines.
pub fn too_large(project: &Project) -> Findings {
    let mut findings = Findings::new();
    for module in project.production() {
        findings.insert(module.file.clone(), module.code.lines);
        for function in &module.code.functions {
            let key = format!("{}: fn {}", module.file, function.name);
            let lines = findings.entry(key).or_default();
            *lines = function.lines.max(*lines);
        }
    }
    let most = |what: &str| {
        if what.contains(": fn ") {
            FUNCTION
        } else {
            FILE
        }
    };
    findings.retain(|what, lines| *lines > most(what));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::judge;
    use crate::source::none;
    use crate::testing::{here, planted};

    #[test]
    fn files_and_functions_can_be_read_in_one_go() {
        none(
            &judge("sizes", &too_large(here())),
            &format!("at most {FILE} lines in a file, {FUNCTION} in a function"),
        );
    }

    #[test]
    fn planted_length_is_found_wherever_tests_stand() {
        let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"// more\n".repeat(500) + "}\n";
        let with = |lines: usize, body: usize| {
            let function = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(body - 2));
            let text = format!(
                "#[cfg(test)]\nmod early;\n{tests}{function}{}{tests}",
                "// x\n".repeat(lines - body)
            );
            let planted = planted(&[("src/a/lib.rs", &text), ("src/a/early.rs", "")]);
            too_large(&planted)
                .into_iter()
                .map(|(what, lines)| format!("{what} {lines}"))
                .collect::<Vec<_>>()
        };
        assert!(with(400, 60).is_empty());
        assert_eq!(with(401, 60), ["src/a/lib.rs 401"]);
        assert_eq!(with(400, 61), ["src/a/lib.rs: fn f 61"]);
    }
}
