//! Whether what a person allowed still holds: the client and the person are who they were, and neither has lost the right.

use std::sync::Arc;

use super::Authorization;
use crate::{Client, Tenant, User};

/// Who an authorization concerns, while it holds.
#[derive(Clone, Copy)]
pub struct GrantValidity<'t> {
    /// The client that it was given to.
    pub client: &'t Arc<Client>,
    /// The person who gave it.
    pub user: &'t Arc<User>,
}

/// Why it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidGrant {
    /// The client was deleted; a new one of the same name is another client.
    Client,
    /// The user was deleted or disabled, or has another credential. None of these is undone later.
    User,
    /// The person may not use this client now.
    Groups,
}

impl InvalidGrant {
    /// For the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "the client was deleted or recreated since",
            Self::User => "the user was deleted or disabled, or has another password since",
            Self::Groups => "the person is in no group that may use the client",
        }
    }
}

/// Who an authorization concerns now.
pub fn check<'t>(
    tenant: &'t Tenant,
    given: &Authorization,
) -> Result<GrantValidity<'t>, InvalidGrant> {
    let client = tenant.clients.get(given.client_id.as_str());
    let client = client.filter(|client| given.belongs_to(client));
    let client = client.ok_or(InvalidGrant::Client)?;
    let user = tenant.users.by_subject(&given.subject, &given.user_uid);
    let user = user.filter(|user| user.stands_by(&given.credential, given.auth_time));
    let user = user.ok_or(InvalidGrant::User)?;
    if !user.is_in_any(client.allowed_groups.as_deref()) {
        return Err(InvalidGrant::Groups);
    }
    Ok(GrantValidity { client, user })
}
