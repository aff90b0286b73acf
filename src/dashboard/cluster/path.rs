//! Paths of the API server. Names come from addresses that a browser sends, so they are checked before they are a path.

use std::fmt;

use super::Kind;
use crate::problem::Problem;

/// The path of a collection or of an object.
pub struct Path {
    kind: Kind,
    namespace: Option<String>,
    name: Option<String>,
}

impl Path {
    /// A collection, in one namespace or in all.
    pub fn collection(kind: Kind, namespace: Option<&str>) -> Result<Self, Problem> {
        let namespace = namespace.filter(|_| kind.namespaced());
        Ok(Self {
            kind,
            namespace: namespace.map(checked).transpose()?,
            name: None,
        })
    }

    /// One object.
    pub fn object(kind: Kind, namespace: &str, name: &str) -> Result<Self, Problem> {
        let name = Some(checked(name)?);
        let collection = Self::collection(kind, Some(namespace))?;
        Ok(Self { name, ..collection })
    }

    /// What is addressed, for messages: `oauthclients web in namespace team`.
    pub fn what(&self) -> String {
        let mut what = self.kind.plural().to_owned();
        if let Some(name) = &self.name {
            what = format!("{what} {name}");
        }
        match (&self.namespace, self.kind.namespaced()) {
            (Some(namespace), _) => format!("{what} in namespace {namespace}"),
            (None, true) => format!("{what} in all namespaces"),
            (None, false) => what,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.group() {
            "" => f.write_str("/api/v1")?,
            group => write!(f, "/apis/{group}/v1alpha1")?,
        }
        if let Some(namespace) = &self.namespace {
            write!(f, "/namespaces/{namespace}")?;
        }
        write!(f, "/{}", self.kind.plural())?;
        match &self.name {
            Some(name) => write!(f, "/{name}"),
            None => Ok(()),
        }
    }
}

/// A name as Kubernetes allows it (RFC 1123 subdomain); anything else names no object.
fn checked(name: &str) -> Result<String, Problem> {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= 253 && name.split('.').all(label) {
        return Ok(name.to_owned());
    }
    Err(Problem::not_found(format!(
        "{name:?} is not a name of Kubernetes: it must consist of lower case letters, digits, '-' and '.'."
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(kind: Kind, namespace: &str, name: &str) -> String {
        Path::object(kind, namespace, name).unwrap().to_string()
    }

    #[test]
    fn paths_are_those_of_the_api_server() {
        assert_eq!(
            object(Kind::Client, "team", "web"),
            "/apis/clientele.dev/v1alpha1/namespaces/team/oauthclients/web"
        );
        assert_eq!(
            object(Kind::Secret, "team", "web-oauth"),
            "/api/v1/namespaces/team/secrets/web-oauth"
        );
        assert_eq!(
            object(Kind::Tenant, "ignored", "default"),
            "/apis/clientele.dev/v1alpha1/oauthtenants/default"
        );
        let all = Path::collection(Kind::Client, None).unwrap();
        assert_eq!(all.to_string(), "/apis/clientele.dev/v1alpha1/oauthclients");
        assert_eq!(all.what(), "oauthclients in all namespaces");
    }

    #[test]
    fn o04_a_name_cannot_lead_to_another_path() {
        for name in [
            "", "..", ".", "a/b", "a?b", "a#b", "a%2fb", "A", "a b", "-a", "a-", "a..b", "ä",
        ] {
            assert!(Path::object(Kind::Secret, "team", name).is_err(), "{name}");
            assert!(Path::object(Kind::Secret, name, "web").is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn o04_a_path_has_the_segments_that_its_kind_has(name in "\\PC{0,12}") {
            if let Ok(path) = Path::object(Kind::Secret, &name, &name) {
                prop_assert_eq!(path.to_string().split('/').count(), 7);
            }
        }
    }
}
