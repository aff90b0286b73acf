//! Security events: who signed in, who agreed to what, who left. One line each, with fields that can be queried.
//!
//! Never a secret, and never what a stranger typed: a name is written down only if somebody has it.

use std::net::IpAddr;

use crate::oauth::{Client, Person, Tenant};

const UNKNOWN: &str = "(unknown)";
const NO_CLIENT: &str = "(account page)";

/// Somebody signed in.
pub(super) fn signed_in(tenant: &Tenant, client: Option<&Client>, person: &Person, from: IpAddr) {
    let (tenant, client_id) = (&*tenant.name, client.map_or(NO_CLIENT, |client| &client.id));
    let (username, subject) = (&*person.username, &*person.subject);
    tracing::info!(tenant, client_id, username, subject, %from, "signed in");
}

/// Somebody could not sign in.
pub(super) fn sign_in_failed(
    tenant: &Tenant,
    client: Option<&Client>,
    person: Option<&Person>,
    from: IpAddr,
    reason: &'static str,
) {
    let (tenant, client_id) = (&*tenant.name, client.map_or(NO_CLIENT, |client| &client.id));
    let username = person.map_or(UNKNOWN, |person| &person.username);
    tracing::info!(tenant, client_id, username, %from, reason, "sign-in failed");
}

/// What happened to what a person allows a client.
pub(super) fn consent(tenant: &Tenant, client_id: &str, person: &Person, what: &'static str) {
    let (tenant, username) = (&*tenant.name, &*person.username);
    tracing::info!(tenant, client_id, username, "consent {what}");
}

/// Somebody signed out.
pub(super) fn signed_out(tenant: &Tenant, person: &Person, everywhere: bool) {
    let (tenant, username) = (&*tenant.name, &*person.username);
    tracing::info!(tenant, username, everywhere, "signed out");
}
