//! How long what clients are issued lives: what they ask for, within what their tenant allows.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::tenant::TenantLifetimes;
use clientele_api::{self as api, DurationString};
use clientele_oauth::client::Lifetimes;

/// The lifetimes of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifetimePolicy {
    /// For clients that say nothing.
    pub default: Lifetimes,
    /// What no client exceeds.
    pub maximum: Lifetimes,
    /// What clients are given that say nothing: without refresh tokens, and with them. They share it.
    usual: [Arc<Lifetimes>; 2],
}

impl LifetimePolicy {
    /// Reads what a tenant says.
    pub fn new(spec: Option<&TenantLifetimes>) -> Self {
        let maximum = spec.and_then(|spec| spec.maximum.as_ref());
        let maximum = smaller(asked_or(maximum, Lifetimes::BOUNDS), Lifetimes::BOUNDS);
        let default = spec.and_then(|spec| spec.default.as_ref());
        let default = smaller(asked_or(default, Lifetimes::DEFAULT), maximum);
        let usual = [false, true].map(|may_refresh| Arc::new(granted(default, may_refresh)));
        Self {
            default,
            maximum,
            usual,
        }
    }

    /// What a client is given that asks for this. A token that renews another is not outlived by it.
    pub fn grant(&self, asked: Option<&api::Lifetimes>, may_refresh: bool) -> Arc<Lifetimes> {
        let allowed = smaller(asked_or(asked, self.default), self.maximum);
        let granted = granted(allowed, may_refresh);
        let usual = self.usual.iter().find(|usual| ***usual == granted);
        usual.map_or_else(|| Arc::new(granted), Arc::clone)
    }

    /// The longest lifetime of what a key signs.
    pub fn longest_signed(&self) -> Duration {
        self.maximum.access_token.max(self.maximum.id_token)
    }
}

/// A lifetime that is shorter than what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortened {
    /// What lives: a noun in the plural.
    pub what: &'static str,
    /// For how long it was asked.
    pub asked: Duration,
    /// How long it lives.
    pub granted: Duration,
}

/// Which lifetimes are shorter than what was asked for.
pub fn shortened(
    asked: Option<&api::Lifetimes>,
    granted: &Lifetimes,
) -> impl Iterator<Item = Shortened> {
    let wanted = asked_or(asked, *granted);
    let rows = [
        (
            "authorization codes",
            wanted.authorization_code,
            granted.authorization_code,
        ),
        ("access tokens", wanted.access_token, granted.access_token),
        ("ID tokens", wanted.id_token, granted.id_token),
        (
            "refresh tokens",
            wanted.refresh_token,
            granted.refresh_token,
        ),
        (
            "unused refresh tokens",
            wanted.refresh_token_idle,
            granted.refresh_token_idle,
        ),
    ];
    rows.into_iter()
        .filter(|(_, asked, granted)| granted < asked)
        .map(|(what, asked, granted)| Shortened {
            what,
            asked,
            granted,
        })
}

fn granted(mut allowed: Lifetimes, may_refresh: bool) -> Lifetimes {
    allowed.refresh_token_idle = allowed.refresh_token_idle.min(allowed.refresh_token);
    if may_refresh {
        allowed.access_token = allowed.access_token.min(allowed.refresh_token);
    }
    allowed
}

fn asked_or(asked: Option<&api::Lifetimes>, default: Lifetimes) -> Lifetimes {
    let Some(asked) = asked else { return default };
    let or = |asked: &Option<DurationString>, default| {
        let parsed = asked.as_ref().and_then(DurationString::parse);
        parsed.unwrap_or(default)
    };
    Lifetimes {
        authorization_code: or(&asked.authorization_code, default.authorization_code),
        access_token: or(&asked.access_token, default.access_token),
        id_token: or(&asked.id_token, default.id_token),
        refresh_token: or(&asked.refresh_token, default.refresh_token),
        refresh_token_idle: or(&asked.refresh_token_idle, default.refresh_token_idle),
    }
}

fn smaller(a: Lifetimes, b: Lifetimes) -> Lifetimes {
    Lifetimes {
        authorization_code: a.authorization_code.min(b.authorization_code),
        access_token: a.access_token.min(b.access_token),
        id_token: a.id_token.min(b.id_token),
        refresh_token: a.refresh_token.min(b.refresh_token),
        refresh_token_idle: a.refresh_token_idle.min(b.refresh_token_idle),
    }
}

#[cfg(test)]
mod tests;
