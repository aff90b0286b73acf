//! The steps that judge a field of the source.

use serde_json::{Value, json};

use super::super::durations::written;
use super::super::model::BroughtSecret;
use super::super::rules::{self, ClientId};
use super::Draft;

/// The longest lifetimes that an OAuthClient takes, in seconds.
const LONGEST: [(&str, u64); 5] = [
    ("authorizationCode", 600),
    ("accessToken", 86_400),
    ("idToken", 86_400),
    ("refreshToken", 31_536_000),
    ("refreshTokenIdle", 31_536_000),
];

impl Draft {
    /// The client ID.
    pub fn client_id(&mut self, field: &str, id: &str) {
        let judged = rules::client_id(id, &self.namespace, &self.name);
        if let ClientId::Refused(why) = judged {
            let own = format!("{}.{}", self.namespace, self.name);
            let todo = format!("give the application the ID {own}");
            self.lost(field, &format!("the ID {id:?} {why}"), &todo);
            return;
        }
        if judged == ClientId::Default {
            self.exact(field, "metadata.name");
            return;
        }
        self.set("clientId", id);
        self.exact(field, "spec.clientId");
    }

    /// The name that people see.
    pub fn display_name(&mut self, field: &str, shown: &str) {
        if shown.is_empty() {
            return;
        }
        if rules::is_readable(shown, 100) {
            self.set("displayName", shown);
            self.exact(field, "spec.displayName");
        } else {
            let why = "is longer than 100 characters, or has invisible characters";
            self.lost(field, why, "write spec.displayName");
        }
    }

    /// Redirect URIs into a field of `spec`. Each one that cannot be had is lost by itself.
    pub fn uris<'a>(&mut self, field: &str, to: &str, uris: impl IntoIterator<Item = &'a str>) {
        let todo = rules::redirect_uri_todo;
        self.list(field, to, uris, 64, rules::redirect_uri, todo);
    }

    /// Web origins.
    pub fn origins<'a>(&mut self, field: &str, origins: impl IntoIterator<Item = &'a str>) {
        let todo = |_: &str, to: &str| {
            format!("list in spec.{to} what the browser sends, such as https://app.example.com")
        };
        self.list(field, "allowedOrigins", origins, 64, rules::origin, todo);
    }

    fn list<'a>(
        &mut self,
        field: &str,
        to: &str,
        values: impl IntoIterator<Item = &'a str>,
        most: usize,
        judge: fn(&str) -> Result<(), &'static str>,
        todo: fn(&str, &str) -> String,
    ) {
        let before = self.spec.get(to).and_then(Value::as_array);
        let mut kept: Vec<Value> = before.cloned().unwrap_or_default();
        for value in values {
            match judge(value) {
                Ok(()) if kept.iter().any(|known| known == value) => {}
                Ok(()) if kept.len() < most => kept.push(value.into()),
                Ok(()) => {
                    let why = format!("{value:?} is one more than the {most} that spec.{to} takes");
                    self.lost(field, &why, "remove what is no longer used");
                }
                Err(why) => {
                    let why = format!("{value:?} {why}");
                    self.lost(field, &why, &todo(value, to));
                }
            }
        }
        if !kept.is_empty() {
            self.spec.insert(to.to_owned(), kept.into());
            self.exact(field, &format!("spec.{to}"));
        }
    }

    /// Grants by their names.
    pub fn grants<'a>(&mut self, field: &str, grants: impl IntoIterator<Item = &'a str>) {
        for grant in grants {
            match grant {
                "authorization_code" => self.grant("authorization_code"),
                "refresh_token" => self.grant("refresh_token"),
                "client_credentials" => self.grant("client_credentials"),
                other => {
                    let (why, todo) = lost_grant(other);
                    self.lost(field, &format!("{other}: {why}"), todo);
                    continue;
                }
            }
            self.exact(field, "spec.grantTypes");
        }
    }

    /// Scopes. One that is not OpenID Connect's must be one of the tenant's.
    pub fn scopes<'a>(&mut self, field: &str, scopes: impl IntoIterator<Item = &'a str>) {
        let before = self.spec.get("scopes").and_then(Value::as_array);
        let mut kept: Vec<Value> = before.cloned().unwrap_or_default();
        for scope in scopes {
            // ORY Hydra's earlier name of it.
            let name = if scope == "offline" {
                "offline_access"
            } else {
                scope
            };
            if name.contains('*') || !rules::is_scope(name) {
                let why = format!("{scope:?} is a pattern or no scope");
                self.lost(
                    field,
                    &why,
                    "list the exact scopes in spec.scopes and in those of the tenant",
                );
                continue;
            }
            if name != scope {
                let todo = "the application asks for offline_access";
                self.changed(field, "spec.scopes", "offline is offline_access", todo);
            }
            if !kept.iter().any(|known| known == name) {
                kept.push(name.into());
            }
        }
        if !kept.is_empty() {
            self.spec.insert("scopes".to_owned(), kept.into());
            self.exact(field, "spec.scopes");
        }
    }

    /// APIs that the client asks tokens for.
    pub fn audiences<'a>(&mut self, field: &str, audiences: impl IntoIterator<Item = &'a str>) {
        for audience in audiences {
            if let Err(why) = rules::audience(audience) {
                let why = format!("{audience:?} {why}");
                let todo = "name the API by a URI, in spec.audiences and in those of the tenant";
                self.lost(field, &why, todo);
                continue;
            }
            let list = self.spec.entry("audiences").or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut()
                && !list.iter().any(|known| known == audience)
            {
                list.push(audience.into());
            }
            let todo = "the application asks with resource= (RFC 8707)";
            self.changed(
                field,
                "spec.audiences",
                "the API is named by resource=",
                todo,
            );
        }
    }

    /// How long something lives, in seconds.
    pub fn lifetime(&mut self, field: &str, to: &str, seconds: u64) {
        let longest = LONGEST.iter().find(|(name, _)| *name == to);
        let longest = longest.map_or(86_400, |(_, longest)| *longest);
        let lifetimes = self.spec.entry("lifetimes").or_insert_with(|| json!({}));
        lifetimes[to] = written(seconds.min(longest)).into();
        let to = format!("spec.lifetimes.{to}");
        if seconds <= longest {
            self.exact(field, &to);
        } else {
            let why = format!(
                "{} is longer than {}, the most that there is",
                written(seconds),
                written(longest)
            );
            self.changed(field, &to, &why, "renew earlier");
        }
    }

    /// Whether PKCE was asked for.
    pub fn pkce(&mut self, field: &str, required: bool) {
        if required || !self.has_grant("authorization_code") {
            self.exact(field, "spec.requirePkce");
        } else if self.is_public() {
            let why = "a Public client always uses PKCE with S256 here";
            self.changed(
                field,
                "spec.requirePkce",
                why,
                "turn PKCE on in the application",
            );
        } else {
            self.set("requirePkce", false);
            self.exact(field, "spec.requirePkce");
        }
    }

    /// People are not asked for consent.
    pub fn first_party(&mut self, field: &str) {
        self.set("firstParty", true);
        self.exact(field, "spec.firstParty");
    }

    /// The client secret, and the one that is accepted as well.
    pub fn secret(&mut self, field: &str, value: Option<&str>, previous: Option<&str>) {
        if self.is_public() {
            return;
        }
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            self.lost(
                field,
                "it is not in the files; a new secret is derived",
                "give the application the new one: `kubectl clientele secret NAME`",
            );
            return;
        };
        if let Err(why) = rules::secret(value) {
            let todo = if why.starts_with("is masked") {
                "export it in clear, as the documentation of this importer says, and import again"
            } else {
                "rotate it at the source to one of at least 22 characters and import again, or give the application the new one that is derived"
            };
            self.lost(field, &format!("the client secret {why}"), todo);
            return;
        }
        self.exact(field, "spec.secretRef");
        let previous = previous.filter(|previous| !previous.is_empty() && *previous != value);
        let kept = previous.filter(|previous| match rules::secret(previous) {
            Ok(()) => true,
            Err(why) => {
                let why = format!("the former client secret {why}");
                self.lost(field, &why, "the application needs the current one");
                false
            }
        });
        if kept.is_some() {
            self.changed(
                &format!("{field} (rotated)"),
                "spec.secretRef.previousKey",
                "it is accepted until you remove it; the end that the source sets is not imported",
                "remove spec.secretRef.previousKey when no application uses the former secret",
            );
        }
        self.secret = Some(BroughtSecret {
            name: format!("{}-client-secret", self.name),
            current: value.to_owned(),
            previous: kept.map(str::to_owned),
        });
    }
}

fn lost_grant(grant: &str) -> (&'static str, &'static str) {
    match grant {
        "implicit" => (
            "OAuth 2.1 has no implicit grant",
            "use authorization_code with PKCE, which every library can",
        ),
        "password" => (
            "OAuth 2.1 has no password grant",
            "let people sign in (authorization_code), and machines use client_credentials",
        ),
        _ => (
            "Clientele does not have this grant",
            "use authorization_code or client_credentials",
        ),
    }
}
