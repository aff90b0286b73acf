//! In which namespaces Secrets can be seen at all.

use std::collections::HashMap;

/// A Secret by namespace and name.
pub type Name = (String, String);

/// Whether the Secrets of a namespace are within reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// They have not been listed yet.
    Pending,
    /// They are watched.
    Granted,
    /// The operator may not; the sentence names the command that enables it.
    Denied(String),
}

/// What is known of each namespace, or of all at once.
#[derive(Debug, Default)]
pub struct Reach {
    namespaces: HashMap<Box<str>, Access>,
    cluster: Option<Access>,
}

impl Reach {
    /// Whether Secrets of the namespace are within reach.
    pub fn of(&self, namespace: &str) -> Access {
        let known = self.cluster.as_ref();
        let known = known.or_else(|| self.namespaces.get(namespace));
        known.cloned().unwrap_or(Access::Pending)
    }

    /// Records whether Secrets of a namespace (or of all) are within reach. Returns whether that changed.
    pub fn set(&mut self, namespace: Option<&str>, access: Access) -> bool {
        let before = match namespace {
            None => self.cluster.take(),
            Some(namespace) => self.namespaces.remove(namespace),
        };
        let changed = before.unwrap_or(Access::Pending) != access;
        match namespace {
            None => self.cluster = Some(access),
            // As is what was never heard of.
            Some(_) if access == Access::Pending => {}
            Some(namespace) => {
                self.namespaces.insert(namespace.into(), access);
            }
        }
        changed
    }
}

/// Those of a namespace, or all.
pub fn within<'a>(names: impl Iterator<Item = &'a Name>, namespace: Option<&str>) -> Vec<Name> {
    let wanted = |(other, _): &&Name| namespace.is_none_or(|only| only == other);
    names.filter(wanted).cloned().collect()
}

/// The sentence that names the commands.
pub fn denied(settings: &crate::settings::Settings, namespace: &str) -> String {
    let (own, account) = (&settings.namespace, &settings.service_account);
    format!(
        "the operator may not write Secrets in namespace {namespace}; an administrator enables it with `kubectl -n {namespace} create role clientele-secrets --verb=get,list,watch,create,update,delete --resource=secrets` and `kubectl -n {namespace} create rolebinding clientele-secrets --role=clientele-secrets --serviceaccount={own}:{account}`, or by adding the namespace to secrets.namespaces of the Helm chart"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_no_longer_is_as_it_was_before_the_first_list() {
        let mut reach = Reach::default();
        let denied = Access::Denied("no rights".to_owned());
        assert!(reach.set(Some("team-a"), denied.clone()));
        assert!(!reach.set(Some("team-a"), denied.clone()));
        assert!(reach.set(Some("team-a"), Access::Pending));
        assert_eq!(reach.of("team-a"), Access::Pending);
        assert!(reach.namespaces.is_empty());
        assert!(!reach.set(Some("team-a"), Access::Pending));
        assert!(reach.set(Some("team-a"), denied), "it is said once more");
    }
}
