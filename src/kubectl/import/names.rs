//! Names of objects that are new here: sound, and each once in its namespace.

use std::collections::BTreeSet;

/// The names that are taken.
#[derive(Default)]
pub struct Names(BTreeSet<(String, String)>);

/// The longest name of an OAuthClient.
const MAX: usize = 63;

impl Names {
    /// A name for what is called so elsewhere. The first has it as it is; others get a number.
    pub fn take(&mut self, namespace: &str, wanted: &str) -> String {
        let base = sound(wanted);
        let mut name = base.clone();
        let mut number = 2;
        while !self.0.insert((namespace.to_owned(), name.clone())) {
            let ending = format!("-{number}");
            let room = MAX - ending.len();
            let cut_base = base.get(..room).unwrap_or(&base).trim_end_matches('-');
            name = format!("{cut_base}{ending}");
            number += 1;
        }
        name
    }
}

/// Lower case letters, digits and hyphens, at most 63 of them.
fn sound(wanted: &str) -> String {
    let mut name = String::new();
    for c in wanted.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
        if name.len() == MAX {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "imported" } else { name }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sound_and_differ() {
        let mut names = Names::default();
        assert_eq!(names.take("a", "My App (prod)"), "my-app-prod");
        assert_eq!(names.take("a", "my.app.prod"), "my-app-prod-2");
        assert_eq!(names.take("b", "my.app.prod"), "my-app-prod");
        assert_eq!(names.take("a", "***"), "imported");
        let long = "x".repeat(80);
        assert_eq!(names.take("a", &long).len(), 63);
        assert_eq!(names.take("a", &long).len(), 63);
    }
}
