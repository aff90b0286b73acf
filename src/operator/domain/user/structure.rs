//! The schema's rules about the fields of an OAuthUser.

use clientele_api::OAuthUser;

use crate::domain::reason::Refusal;
use crate::domain::structure::{
    Check, entries, entry_name, is_invisible, is_separator, length, object_name, readable, refusal,
    rule,
};

/// Whether every field by itself is as the schema demands.
pub fn check(object: &OAuthUser) -> Result<(), Refusal> {
    check_fields(object).map_err(refusal)
}

fn check_fields(object: &OAuthUser) -> Check {
    let spec = &object.spec;
    length("tenant", &spec.tenant, 1..=40)?;
    if let Some(email) = &spec.email {
        length("email", email, 3..=254)?;
        rule(
            is_email(email),
            "email",
            "must be an email address, such as alice@example.com",
        )?;
    }
    if let Some(name) = &spec.name {
        length("name", name, 1..=200)?;
        readable("name", name)?;
    }
    entries("groups", &spec.groups, 64)?;
    rule(
        spec.claims.len() <= 64,
        "claims",
        "must have at most 64 members",
    )?;
    if let Some(reference) = &spec.password_secret_ref {
        object_name("passwordSecretRef.name", &reference.name)?;
        entry_name("passwordSecretRef.key", &reference.key)?;
    }
    Ok(())
}

/// One `@` with something on both sides, and nothing that cannot be seen.
fn is_email(text: &str) -> bool {
    let hidden = |c: char| is_invisible(c) || is_separator(c);
    let parts = text.split_once('@');
    parts.is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !text.chars().any(hidden)
}
