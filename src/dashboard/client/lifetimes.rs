//! The tab *Lifetimes*: for each kind of token how long it lives, and which level sets it. The operator resolves the same
//! fields in `operator/domain/tenant/lifetimes.rs`; a test compares the two.

use std::time::Duration;

use clientele_api::DurationString;
use clientele_oauth::client::Lifetimes;
use serde_json::Value;

use super::spec;

/// The level that a lifetime comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `spec.lifetimes` of the client.
    Client,
    /// `spec.lifetimes.default` of its tenant.
    Tenant,
    /// The default of Clientele.
    BuiltIn,
}

impl Level {
    /// How the page names it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::Tenant => "Tenant",
            Self::BuiltIn => "Default",
        }
    }
}

/// What made a lifetime shorter than its level asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    TenantMaximum,
    BuiltInMaximum,
    RefreshToken,
}

/// How long one kind of token lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The token.
    pub name: &'static str,
    /// The field of `spec.lifetimes`.
    pub field: &'static str,
    /// What the lifetime is about.
    pub about: &'static str,
    /// The lifetime; `None` if the tenant sets it and may not be read.
    pub effective: Option<Duration>,
    /// The level that sets it.
    pub level: Level,
    /// Why it is not what the level asks for, or why it has no effect.
    pub note: Option<String>,
}

impl Row {
    /// The lifetime in words.
    pub fn words(&self) -> String {
        self.effective
            .map_or_else(|| "set by the tenant".to_owned(), words)
    }

    /// The lifetime as a manifest writes it.
    pub fn manifest(&self) -> String {
        self.effective.map(manifest).unwrap_or_default()
    }
}

/// A field of `spec.lifetimes`.
struct Field {
    name: &'static str,
    key: &'static str,
    about: &'static str,
    /// The grant without which the client is never issued one; empty for every grant.
    grant: &'static str,
    of: fn(&Lifetimes) -> Duration,
}

const FIELDS: [Field; 5] = [
    Field {
        name: "Authorization code",
        key: "authorizationCode",
        about: "from the sign-in until the application exchanges the code for tokens",
        grant: "authorization_code",
        of: |lifetimes| lifetimes.authorization_code,
    },
    Field {
        name: "Access token",
        key: "accessToken",
        about: "for requests to APIs",
        grant: "",
        of: |lifetimes| lifetimes.access_token,
    },
    Field {
        name: "ID token",
        key: "idToken",
        about: "tells the application who signed in",
        grant: "authorization_code",
        of: |lifetimes| lifetimes.id_token,
    },
    Field {
        name: "Refresh token",
        key: "refreshToken",
        about: "from the sign-in until the person must sign in again",
        grant: "refresh_token",
        of: |lifetimes| lifetimes.refresh_token,
    },
    Field {
        name: "Refresh token, unused",
        key: "refreshTokenIdle",
        about: "a refresh token that is not used for this long expires",
        grant: "refresh_token",
        of: |lifetimes| lifetimes.refresh_token_idle,
    },
];

const REFRESH: usize = 3;

/// The lifetimes of a client under its tenant; without the tenant where the person may not read it.
pub fn rows(client: &Value, tenant: Option<&Value>) -> Vec<Row> {
    let grants = spec::grants(client);
    let mut rows: Vec<Row> = FIELDS
        .iter()
        .map(|field| row(field, client, tenant, &grants))
        .collect();
    let refresh = rows[REFRESH].effective;
    let may_refresh = grants.iter().any(|grant| grant == "refresh_token");
    for row in &mut rows {
        let follows = match row.field {
            "refreshTokenIdle" => true,
            "accessToken" => may_refresh,
            _ => false,
        };
        if let (true, Some(own), Some(refresh)) = (follows, row.effective, refresh)
            && own > refresh
        {
            row.note = Some(note(Limit::RefreshToken, own, row.level));
            row.effective = Some(refresh);
        }
    }
    rows
}

fn row(field: &Field, client: &Value, tenant: Option<&Value>, grants: &[String]) -> Row {
    let duration = |of: &Value, path: &str| {
        let text = of.pointer(&format!("{path}/{}", field.key))?.as_str()?;
        DurationString(text.to_owned()).parse()
    };
    let bound = (field.of)(&Lifetimes::BOUNDS);
    let maximum = tenant.and_then(|tenant| duration(tenant, "/spec/lifetimes/maximum"));
    let most = maximum.map_or(bound, |maximum| maximum.min(bound));
    let of_client = duration(client, "/spec/lifetimes");
    let of_tenant = tenant.and_then(|tenant| duration(tenant, "/spec/lifetimes/default"));
    let built_in = (field.of)(&Lifetimes::DEFAULT);
    let (level, asked) = match (of_client, of_tenant) {
        (Some(asked), _) => (Level::Client, asked),
        (None, Some(asked)) => (Level::Tenant, asked),
        (None, None) => (Level::BuiltIn, built_in),
    };
    let limit = if most == bound {
        Limit::BuiltInMaximum
    } else {
        Limit::TenantMaximum
    };
    let unused = !field.grant.is_empty() && !grants.iter().any(|grant| grant == field.grant);
    let note = if unused {
        Some(format!(
            "This client is never issued one: it does not use the grant {}.",
            field.grant
        ))
    } else if asked > most {
        Some(note(limit, asked, level))
    } else {
        None
    };
    let known = tenant.is_some() || level == Level::Client;
    Row {
        name: field.name,
        field: field.key,
        about: field.about,
        effective: known.then(|| asked.min(most)),
        level: if known { level } else { Level::Tenant },
        note,
    }
}

fn note(limit: Limit, asked: Duration, level: Level) -> String {
    let by = match level {
        Level::Client => "The client asks for",
        Level::Tenant => "The tenant's default is",
        Level::BuiltIn => "The default is",
    };
    let because = match limit {
        Limit::TenantMaximum => "the tenant's maximum (spec.lifetimes.maximum) is shorter",
        Limit::BuiltInMaximum => "the maximum of Clientele is shorter",
        Limit::RefreshToken => "the refresh token expires earlier",
    };
    format!("{by} {}; {because}.", words(asked))
}

/// A duration in words, such as "1 hour 30 minutes" or "30 days".
pub fn words(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    let seconds = duration.as_secs();
    let count = |count: u64, unit: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    };
    // A day is said only where it is exact, and from two on: 24h is the usual word for one.
    if seconds >= 2 * DAY && seconds.is_multiple_of(DAY) {
        return count(seconds / DAY, "day");
    }
    let parts = [
        (seconds / 3600, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(many, _)| *many > 0)
        .map(|(many, unit)| count(many, unit))
        .collect();
    if parts.is_empty() {
        return "0 seconds".to_owned();
    }
    parts.join(" ")
}

/// A duration as manifests write it: `1h30m`.
pub fn manifest(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 3600, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    let parts = parts.into_iter().filter(|(many, _)| *many > 0);
    let texts: Vec<String> = parts.map(|(many, unit)| format!("{many}{unit}")).collect();
    if texts.is_empty() {
        "0s".to_owned()
    } else {
        texts.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn client(lifetimes: &Value) -> Value {
        json!({ "spec": { "redirectUris": ["https://a.example/cb"], "lifetimes": lifetimes } })
    }

    fn tenant(lifetimes: &Value) -> Value {
        json!({ "spec": { "lifetimes": lifetimes } })
    }

    fn of<'a>(rows: &'a [Row], field: &str) -> &'a Row {
        rows.iter().find(|row| row.field == field).unwrap()
    }

    #[test]
    fn each_level_sets_what_the_levels_above_leave_open() {
        let tenant = tenant(&json!({ "default": { "accessToken": "5m", "idToken": "7m" } }));
        let rows = rows(&client(&json!({ "idToken": "90s" })), Some(&tenant));
        for (field, level, words) in [
            ("authorizationCode", Level::BuiltIn, "1 minute"),
            ("accessToken", Level::Tenant, "5 minutes"),
            ("idToken", Level::Client, "1 minute 30 seconds"),
            ("refreshToken", Level::BuiltIn, "30 days"),
            ("refreshTokenIdle", Level::BuiltIn, "7 days"),
        ] {
            let row = of(&rows, field);
            assert_eq!((row.level, row.words().as_str()), (level, words), "{field}");
            assert_eq!(row.note, None);
        }
    }

    #[test]
    fn a_limit_is_named_beside_what_it_limits() {
        let tenant = tenant(&json!({ "maximum": { "accessToken": "1h", "refreshToken": "24h" } }));
        let rows = rows(
            &client(&json!({ "accessToken": "2h", "refreshToken": "30m" })),
            Some(&tenant),
        );
        let access = of(&rows, "accessToken");
        assert_eq!(access.manifest(), "30m");
        assert!(access.note.as_deref().unwrap().contains("refresh token"));
        let idle = of(&rows, "refreshTokenIdle");
        assert_eq!(
            (idle.manifest().as_str(), idle.level),
            ("30m", Level::BuiltIn)
        );
        let rows = super::rows(&client(&json!({ "accessToken": "2h" })), Some(&tenant));
        let note = of(&rows, "accessToken").note.clone().unwrap();
        assert!(
            note.contains("2 hours") && note.contains("spec.lifetimes.maximum"),
            "{note}"
        );
    }

    #[test]
    fn what_a_client_is_never_issued_is_said() {
        let machine = json!({ "spec": {} });
        let rows = rows(&machine, Some(&json!({})));
        assert!(of(&rows, "idToken").note.is_some());
        assert!(of(&rows, "accessToken").note.is_none());
    }

    #[test]
    fn without_the_tenant_only_the_client_is_certain() {
        let rows = rows(&client(&json!({ "idToken": "2m" })), None);
        assert_eq!(of(&rows, "idToken").manifest(), "2m");
        assert_eq!(of(&rows, "accessToken").effective, None);
        assert_eq!(of(&rows, "accessToken").words(), "set by the tenant");
    }

    proptest! {
        #[test]
        fn a_manifest_duration_parses_to_itself(seconds in 1_u64..40_000_000) {
            let duration = Duration::from_secs(seconds);
            let written = DurationString(manifest(duration));
            prop_assert_eq!(written.parse(), Some(duration));
            prop_assert!(!words(duration).is_empty());
        }
    }
}
