//! A resource version in eight bytes, as those of etcd are.

/// A resource version. Clients must take it for a text of no meaning (Kubernetes API concepts), and so it is one as soon as
/// it is not a number written as usual.
#[derive(Debug, PartialEq, Eq)]
pub enum Version {
    /// There is none.
    None,
    /// A number.
    Number(u64),
    /// Any other text.
    Text(Box<str>),
}

impl Version {
    /// That of an object.
    pub fn of(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::None;
        };
        let number = text.parse().ok();
        let number = number.filter(|number: &u64| number.to_string() == text);
        number.map_or_else(|| Self::Text(text.into()), Self::Number)
    }

    /// Whether there is one.
    pub fn is_known(&self) -> bool {
        *self != Self::None
    }

    /// As it is in the metadata.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_what_it_was() {
        let longest = u64::MAX.to_string();
        for text in [
            "0",
            "4711",
            &*longest,
            "007",
            "+1",
            "-1",
            "",
            "18446744073709551616",
            "a1",
        ] {
            assert_eq!(Version::of(Some(text)).text().as_deref(), Some(text));
            assert!(Version::of(Some(text)).is_known());
        }
        assert_eq!(Version::of(None).text(), None);
        assert!(matches!(Version::of(Some("4711")), Version::Number(4711)));
    }
}
