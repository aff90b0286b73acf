//! What the clients of a tenant rely on, so that a narrower policy can be judged before it is applied.

use std::collections::BTreeMap;

use clientele_kubectl::shared::{name, namespace, text};
use serde_json::{Value, json};

use crate::client::preset;
use crate::client::spec::{flag, grants, is_public, tenant, texts};

/// The most clients that a line names.
const NAMED: usize = 5;

/// Clients by what they use.
type Users = BTreeMap<String, Vec<String>>;

/// What the clients of one tenant use of what it allows.
#[derive(Debug, Default)]
pub struct Reliance {
    tenant: String,
    /// How many clients there are.
    pub clients: usize,
    namespaces: Users,
    hosts: Users,
    without_pkce: Users,
    first_party: Users,
    own_ids: Users,
    audiences: Users,
}

/// What is used of one rule of the policy.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rule.
    pub title: &'static str,
    /// What would be refused.
    pub about: &'static str,
    /// Each thing that is used, with its clients.
    pub used: Vec<(String, String)>,
}

impl Reliance {
    /// Nothing looked at yet.
    pub fn of(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            ..Self::default()
        }
    }

    /// Takes in a client, if it is one of this tenant.
    pub fn look(&mut self, client: &Value) {
        if tenant(client) != self.tenant {
            return;
        }
        self.clients += 1;
        let who = format!("{}/{}", namespace(client), name(client));
        let note = |users: &mut Users, what: &str| {
            let clients = users.entry(what.to_owned()).or_default();
            if clients.last() != Some(&who) {
                clients.push(who.clone());
            }
        };
        note(&mut self.namespaces, namespace(client));
        for field in ["redirectUris", "postLogoutRedirectUris", "allowedOrigins"] {
            for uri in texts(client, &format!("/spec/{field}")) {
                if let Some(host) = remote_host(&uri) {
                    note(&mut self.hosts, &host);
                }
            }
        }
        let signs_in = grants(client)
            .iter()
            .any(|grant| grant == "authorization_code");
        if signs_in && !is_public(client) && !flag(client, "/spec/requirePkce") {
            note(&mut self.without_pkce, namespace(client));
        }
        if flag(client, "/spec/firstParty") {
            note(&mut self.first_party, namespace(client));
        }
        let own = text(client, "/spec/clientId");
        if !own.is_empty() {
            note(&mut self.own_ids, own);
        }
        for audience in texts(client, "/spec/audiences") {
            note(&mut self.audiences, &audience);
        }
    }

    /// Each rule of the policy with what is used of it.
    pub fn rules(&self) -> Vec<Rule> {
        let rule = |title, about, users: &Users| Rule {
            title,
            about,
            used: users
                .iter()
                .map(|(what, clients)| (what.clone(), named(clients)))
                .collect(),
        };
        vec![
            rule(
                "spec.namespaces",
                "A selector that leaves out one of these namespaces refuses its clients.",
                &self.namespaces,
            ),
            rule(
                "spec.redirectHosts",
                "A list without one of these hosts refuses the clients that send people back there. Loopback and private-use schemes are never limited.",
                &self.hosts,
            ),
            rule(
                "spec.pkce",
                "With Required, sign-ins without PKCE fail for these clients of each namespace, which do not have requirePkce.",
                &self.without_pkce,
            ),
            rule(
                "spec.firstParty.namespaces",
                "A selector that leaves out one of these namespaces refuses its first-party clients.",
                &self.first_party,
            ),
            rule(
                "spec.customClientIds",
                "Without the permission, the clients with these IDs of their own are refused.",
                &self.own_ids,
            ),
            rule(
                "spec.audiences",
                "Without one of these APIs, the clients that ask for its tokens are refused.",
                &self.audiences,
            ),
        ]
    }

    /// The narrowest policy of namespaces, hosts and PKCE that refuses none of these clients.
    pub fn narrowest(&self) -> String {
        let names = |users: &Users| {
            let names: Vec<&String> = users.keys().collect();
            json!({ "matchExpressions": [
                { "key": "kubernetes.io/metadata.name", "operator": "In", "values": names },
            ] })
        };
        let mut spec = json!({ "namespaces": names(&self.namespaces) });
        if !self.hosts.is_empty() {
            let hosts: Vec<&String> = self.hosts.keys().collect();
            spec["redirectHosts"] = json!([{ "hosts": hosts }]);
        }
        if self.without_pkce.is_empty() {
            spec["pkce"] = "Required".into();
        }
        if !self.first_party.is_empty() {
            spec["firstParty"] = json!({ "namespaces": names(&self.first_party) });
        }
        preset::yaml(&json!({ "spec": spec }))
    }
}

/// The host of a URI that leads off the person's own device.
fn remote_host(uri: &str) -> Option<String> {
    let parsed = url::Url::parse(uri).ok()?;
    let host = match parsed.host()? {
        url::Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => None,
        url::Host::Domain(name) => Some(name.to_owned()),
        url::Host::Ipv4(address) => (!address.is_loopback()).then(|| address.to_string()),
        url::Host::Ipv6(address) => (!address.is_loopback()).then(|| format!("[{address}]")),
    };
    host.filter(|_| matches!(parsed.scheme(), "https" | "http"))
}

fn named(clients: &[String]) -> String {
    let first: Vec<&str> = clients.iter().take(NAMED).map(String::as_str).collect();
    match clients.len() {
        many if many > NAMED => format!("{} and {} more", first.join(", "), many - NAMED),
        _ => first.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Reliance {
        let client = |namespace: &str, name: &str, spec: Value| json!({ "metadata": { "namespace": namespace, "name": name }, "spec": spec });
        let mut reliance = Reliance::of("acme");
        for client in [
            client(
                "shop",
                "web",
                json!({ "tenant": "acme", "redirectUris": ["https://shop.example/cb", "http://localhost/cb"], "firstParty": true }),
            ),
            client(
                "shop",
                "app",
                json!({ "tenant": "acme", "type": "Public", "redirectUris": ["com.example.app:/cb", "https://shop.example/app"] }),
            ),
            client(
                "jobs",
                "night",
                json!({ "tenant": "acme", "clientId": "night-job", "audiences": ["https://api.example/"] }),
            ),
            client("else", "other", json!({ "tenant": "default" })),
        ] {
            reliance.look(&client);
        }
        reliance
    }

    #[test]
    fn every_rule_names_the_clients_that_use_it() {
        let reliance = some();
        assert_eq!(reliance.clients, 3);
        let used: Vec<(&str, Vec<(String, String)>)> = reliance
            .rules()
            .into_iter()
            .map(|rule| (rule.title, rule.used))
            .collect();
        let own = |what: &str, clients: &str| (what.to_owned(), clients.to_owned());
        assert_eq!(
            used,
            [
                (
                    "spec.namespaces",
                    vec![own("jobs", "jobs/night"), own("shop", "shop/web, shop/app")]
                ),
                (
                    "spec.redirectHosts",
                    vec![own("shop.example", "shop/web, shop/app")]
                ),
                ("spec.pkce", vec![own("shop", "shop/web")]),
                ("spec.firstParty.namespaces", vec![own("shop", "shop/web")]),
                ("spec.customClientIds", vec![own("night-job", "jobs/night")]),
                (
                    "spec.audiences",
                    vec![own("https://api.example/", "jobs/night")]
                ),
            ]
        );
    }

    #[test]
    fn the_narrowest_policy_is_one_of_the_definition() {
        let yaml = some().narrowest();
        let policy: Value = serde_yaml::from_str(&yaml).unwrap();
        let spec: clientele_api::OAuthTenantSpec =
            serde_json::from_value(policy["spec"].clone()).unwrap();
        assert_eq!(spec.redirect_hosts[0].hosts, ["shop.example"]);
        assert!(spec.namespaces.is_some() && spec.first_party.is_some());
        assert!(!yaml.contains("pkce"), "{yaml}");
        let mut strict = Reliance::of("acme");
        strict.look(&json!({ "metadata": { "namespace": "shop", "name": "web" }, "spec": { "tenant": "acme" } }));
        assert!(strict.narrowest().contains("pkce: Required"));
    }

    #[test]
    fn many_clients_are_counted() {
        let clients: Vec<String> = (0..7).map(|number| format!("a/{number}")).collect();
        assert_eq!(named(&clients), "a/0, a/1, a/2, a/3, a/4 and 2 more");
    }
}
