//! A UID in sixteen bytes, as those of Kubernetes are.

use std::fmt;

use uuid::Uuid;

/// A UID. Kubernetes makes UUIDs (RFC 9562) and promises a text, so another one stays a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uid {
    /// A UUID, written as usual.
    Uuid(Uuid),
    /// Any other text.
    Text(Box<str>),
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        let uuid = Uuid::parse_str(text).ok().map(Self::Uuid);
        uuid.filter(|uid| *uid == *text)
            .unwrap_or_else(|| Self::Text(text.into()))
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => uuid.hyphenated().fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl PartialEq<str> for Uid {
    fn eq(&self, text: &str) -> bool {
        match self {
            Self::Uuid(uuid) => {
                let mut buffer = Uuid::encode_buffer();
                uuid.hyphenated().encode_lower(&mut buffer) == text
            }
            Self::Text(own) => **own == *text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_uid_is_what_it_was() {
        let usual = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert!(matches!(Uid::from(usual), Uid::Uuid(_)));
        let braced = format!("{{{usual}}}");
        let upper = usual.to_uppercase();
        for text in [
            usual,
            &*upper,
            &*braced,
            &usual.replace('-', ""),
            "",
            "a uid",
        ] {
            let uid = Uid::from(text);
            assert_eq!(uid.to_string(), text);
            assert!(uid == *text && uid != *"another");
        }
    }
}
