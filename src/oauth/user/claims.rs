//! What a client is told about a person: what the granted scopes promise (OIDC Core §5.4), and what was asked for by
//! name (§5.5).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{Client, Tenant, User};

/// The claims of the protocol. Nothing that is known about a person may take their place, whatever a scope of the
/// tenant, a `claims` parameter or a resource says.
pub const OF_THE_PROTOCOL: [&str; 29] = [
    "acr",
    "act",
    "active",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "events",
    "exp",
    "iat",
    "iss",
    "jti",
    "may_act",
    "nbf",
    "nonce",
    "s_hash",
    "scope",
    "scp",
    "sid",
    "sub",
    "sub_id",
    "sub_jwk",
    "token_type",
    "typ",
];

/// The claim that the `groups` scope promises.
const GROUPS: &str = "groups";

/// Groups that mean something to a cluster: they never leave.
const RESERVED_GROUPS: &str = "system:";

/// What the scopes promise that OpenID Connect defines (OIDC Core §5.4), and `groups`.
const OF_SCOPES: [(&str, &[&str]); 5] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    (GROUPS, &[GROUPS]),
];

/// The names of the claims that the scopes promise.
pub fn promised_by<'a>(tenant: &'a Tenant, scope: &'a str) -> impl Iterator<Item = &'a str> {
    scope
        .split(' ')
        .flat_map(|scope| promised_by_one(tenant, scope))
}

fn promised_by_one<'a>(tenant: &'a Tenant, scope: &'a str) -> impl Iterator<Item = &'a str> {
    let defined = OF_SCOPES.iter().filter(move |(name, _)| *name == scope);
    let own = tenant.scopes.iter().filter(move |own| *own.name == *scope);
    defined
        .flat_map(|(_, claims)| claims.iter().copied())
        .chain(own.flat_map(|own| own.claims.iter().map(|claim| &**claim)))
        .filter(|claim| !OF_THE_PROTOCOL.contains(claim))
}

/// Those of the claims asked for by name (OIDC Core §5.5) that the client may have at all: a client that may not request
/// the scope that promises a claim does not get the claim without the scope either.
pub fn allowed_to(
    client: &Client,
    tenant: &Tenant,
    individually: &BTreeSet<String>,
) -> BTreeSet<String> {
    let scopes = client.scopes.iter();
    let allowed: BTreeSet<&str> = scopes
        .flat_map(|scope| promised_by_one(tenant, scope))
        .collect();
    let named = individually.iter();
    named
        .filter(|name| allowed.contains(name.as_str()))
        .cloned()
        .collect()
}

/// Every claim that some scope promises, once, in the order of the scopes.
pub fn supported(tenant: &Tenant) -> Vec<&str> {
    let defined = OF_SCOPES.iter().map(|(name, _)| *name);
    let own = tenant.scopes.iter().map(|scope| &*scope.name);
    let mut claims = Vec::new();
    for claim in defined
        .chain(own)
        .flat_map(|scope| promised_by_one(tenant, scope))
    {
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    claims
}

/// What is known about the person of that which the scopes promise, or which is asked for by name.
pub fn about(
    user: &User,
    tenant: &Tenant,
    scopes: &str,
    individually: &BTreeSet<String>,
) -> Map<String, Value> {
    let by_name = individually.iter().map(String::as_str);
    let by_name = by_name.filter(|name| !OF_THE_PROTOCOL.contains(name));
    let mut told = Map::new();
    for name in promised_by(tenant, scopes).chain(by_name) {
        if let Some(value) = attribute(user, name) {
            told.insert(name.to_owned(), value);
        }
    }
    told
}

/// What is known about the person under the name of a claim. Groups that mean something to a cluster are left out.
pub fn attribute(user: &User, name: &str) -> Option<Value> {
    match name {
        GROUPS => Some(groups(user)),
        _ => user.claims.get(name).cloned(),
    }
}

fn groups(user: &User) -> Value {
    let groups = user.groups.iter().map(|group| &**group);
    let groups = groups.filter(|group| !group.starts_with(RESERVED_GROUPS));
    groups.map(Value::from).collect()
}

#[cfg(test)]
mod tests;
