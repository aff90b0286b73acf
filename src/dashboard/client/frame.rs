//! What every page of a client has around its content: heading, badges, tabs, and the buttons that a person may use.

use clientele_kubectl::shared::{is_ready, name, namespace, reason};
use serde_json::Value;

use super::owner::{Owner, owner};
use super::status::{Status, summary};
use super::{secret, spec};
use crate::cluster::Kind;
use crate::page::{FirstParty, client_path, undirected};
use crate::person::Caller;
use crate::problem::Problem;

/// Whether a person may do something, and why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Right {
    /// Why not; empty if they may.
    pub why: String,
}

impl Right {
    /// Whether they may.
    pub fn allowed(&self) -> bool {
        self.why.is_empty()
    }

    /// Asks the API server.
    pub async fn ask(person: &Caller, verb: &str, kind: Kind, of: (&str, &str)) -> Self {
        let (namespace, name) = of;
        let why = if person.read_only && verb != "get" {
            "This dashboard runs with --read-only.".to_owned()
        } else if person.cluster.may(verb, kind, Some(namespace), name).await {
            String::new()
        } else {
            missing(verb, kind, namespace)
        };
        Self { why }
    }
}

/// Which right is missing, and the `RoleBinding` that would give it.
fn missing(verb: &str, kind: Kind, namespace: &str) -> String {
    let role = if verb == "get" && kind == Kind::Client {
        "view"
    } else {
        "edit"
    };
    format!(
        "You may not {verb} {} in namespace {namespace}. An administrator can allow it: kubectl create rolebinding clientele-{role} --namespace {namespace} --clusterrole {role} --user YOU",
        kind.plural()
    )
}

/// A tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// What the client is.
    Overview,
    /// How it authenticates.
    Credentials,
    /// How long its tokens live.
    Lifetimes,
    /// How applications refer to its Secret.
    Snippets,
    /// Whether it works from end to end.
    Test,
    /// The manifest.
    Yaml,
    /// What happened.
    Events,
    /// A form, which is no tab.
    None,
}

impl Tab {
    const ALL: [Self; 7] = [
        Self::Overview,
        Self::Credentials,
        Self::Lifetimes,
        Self::Snippets,
        Self::Test,
        Self::Yaml,
        Self::Events,
    ];

    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("Overview", ""),
            Self::Credentials => ("Credentials", "/credentials"),
            Self::Lifetimes => ("Lifetimes", "/lifetimes"),
            Self::Snippets => ("Snippets", "/snippets"),
            Self::Test => ("Test", "/test"),
            Self::Yaml => ("YAML", "/yaml"),
            Self::Events => ("Events", "/events"),
            Self::None => ("", ""),
        }
    }
}

/// A link of the navigation between tabs.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its text.
    pub label: &'static str,
    /// Its address.
    pub href: String,
    /// Whether it is this page.
    pub current: bool,
}

/// What surrounds the content.
#[derive(Clone, Debug)]
pub struct ClientHeader {
    /// The namespace.
    pub namespace: String,
    /// The name of the object.
    pub name: String,
    /// The address of the client's page.
    pub path: String,
    /// The name that people see.
    pub title: String,
    /// The same where no markup can be.
    pub plain_title: String,
    /// Whether people are not asked for consent.
    pub first_party: FirstParty,
    /// Whether it is Public.
    pub public: bool,
    /// Whether every request is refused.
    pub suspended: bool,
    /// The tenant.
    pub tenant: String,
    /// Whether it works.
    pub status: Status,
    /// The tabs.
    pub links: Vec<Link>,
    /// The tool that writes the object from elsewhere.
    pub owner: Option<Owner>,
    /// Whether it owns `spec.suspended`, so that suspending and resuming must be confirmed.
    pub confirms: bool,
    /// Whether the person may change it.
    pub edit: Right,
    /// Whether the person may delete it.
    pub delete: Right,
}

impl ClientHeader {
    /// Asks for the rights of the person, and describes the client.
    pub async fn new(person: &Caller, client: &Value, tab: Tab) -> Self {
        let of = (namespace(client), name(client));
        let (edit, delete) = futures::join!(
            Right::ask(person, "update", Kind::Client, of),
            Right::ask(person, "delete", Kind::Client, of),
        );
        Self::with(client, tab, edit, delete)
    }

    /// The address of the page of a client.
    pub fn path_of(client: &Value) -> String {
        client_path(namespace(client), name(client), "")
    }

    /// The same with known rights.
    pub fn with(client: &Value, tab: Tab, edit: Right, delete: Right) -> Self {
        let (namespace, name) = (namespace(client), name(client));
        let link = |one: Tab| {
            let (label, rest) = one.parts();
            Link {
                label,
                href: client_path(namespace, name, rest),
                current: one == tab,
            }
        };
        let owner = owner(client);
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            path: client_path(namespace, name, ""),
            title: spec::display_name(client).to_owned(),
            plain_title: undirected(spec::display_name(client)),
            first_party: FirstParty::of(
                spec::flag(client, "/spec/firstParty"),
                is_ready(client),
                reason(client),
            ),
            public: spec::is_public(client),
            suspended: spec::flag(client, "/spec/suspended"),
            tenant: spec::tenant(client).to_owned(),
            status: summary(client),
            links: Tab::ALL.into_iter().map(link).collect(),
            confirms: owner.as_ref().is_some_and(|owner| owner.owns("suspended")),
            owner,
            edit,
            delete,
        }
    }
}

/// Reads the client of an address.
pub async fn read(person: &Caller, of: &(String, String)) -> Result<Value, Problem> {
    person.cluster.get(Kind::Client, &of.0, &of.1).await
}

/// Whether the person may read the credentials Secret.
pub async fn may_reveal(person: &Caller, client: &Value) -> Right {
    match secret::source(client) {
        secret::Source::Derived { secret, .. } => {
            Right::ask(person, "get", Kind::Secret, (namespace(client), &secret)).await
        }
        secret::Source::None(why) => Right { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_missing_right_names_the_binding_that_gives_it() {
        let why = missing("update", Kind::Client, "apps");
        assert!(
            why.contains("You may not update oauthclients in namespace apps"),
            "{why}"
        );
        assert!(why.contains("--clusterrole edit"), "{why}");
        assert!(missing("get", Kind::Secret, "apps").contains("--clusterrole edit"));
    }

    #[test]
    fn one_tab_is_current_and_each_has_an_address() {
        let client = json!({ "metadata": { "name": "web", "namespace": "apps" }, "spec": { "firstParty": true } });
        let frame = ClientHeader::with(&client, Tab::Lifetimes, Right::default(), Right::default());
        let current: Vec<&str> = frame
            .links
            .iter()
            .filter(|l| l.current)
            .map(|l| l.label)
            .collect();
        assert_eq!(current, ["Lifetimes"]);
        assert_eq!(frame.links[2].href, "/clients/apps/web/lifetimes");
        assert_eq!(frame.first_party, FirstParty::Yes);
        assert!(frame.title == "web" && frame.tenant == "default");
    }

    #[test]
    fn a_name_turns_nothing_round_and_has_the_badge_of_the_tenant() {
        let condition =
            json!({ "type": "Ready", "status": "False", "reason": "FirstPartyNotAllowed" });
        let client = json!({
            "metadata": { "name": "web", "namespace": "apps", "generation": 1 },
            "spec": { "displayName": "a\u{202e}b", "firstParty": true },
            "status": { "observedGeneration": 1, "conditions": [condition] },
        });
        let frame = ClientHeader::with(&client, Tab::None, Right::default(), Right::default());
        assert_eq!(frame.plain_title, "ab");
        assert_eq!(frame.first_party, FirstParty::Asks);
    }
}
