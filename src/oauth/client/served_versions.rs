//! Which version of which client a replica serves. `Ready` means that every replica serves it.

use std::collections::HashMap;

/// The generation of the manifest, by registration.
pub type Versions = HashMap<String, i64>;

/// What is new or other after, and which registrations are in it no longer.
pub fn difference(before: &Versions, after: &Versions) -> (Vec<(String, i64)>, Vec<String>) {
    let is_new = |(registration, generation): &(&String, &i64)| {
        before.get(*registration) != Some(*generation)
    };
    let new = after.iter().filter(is_new);
    let gone = before.keys().filter(|known| !after.contains_key(*known));
    (
        new.map(|(registration, generation)| (registration.clone(), *generation))
            .collect(),
        gone.cloned().collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_other_or_gone_is_told() {
        let versions = |of: &[(&str, i64)]| -> Versions {
            of.iter()
                .map(|(name, g)| ((*name).to_owned(), *g))
                .collect()
        };
        let before = versions(&[("same", 1), ("other", 1), ("gone", 1)]);
        let after = versions(&[("same", 1), ("other", 2), ("new", 1)]);
        let (mut new, gone) = difference(&before, &after);
        new.sort_unstable();
        assert_eq!(new, [("new".to_owned(), 1), ("other".to_owned(), 2)]);
        assert_eq!(gone, ["gone"]);
    }
}
