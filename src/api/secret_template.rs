//! `spec.secret.template`: which texts the API server takes.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::entry_name::{MAX_LEN, rules as entry_rules};
use super::schema::each_key;

/// One row for each placeholder, so that none is without a name, and no name without a placeholder.
macro_rules! placeholders {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a placeholder stands for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Placeholder {
            $($(#[$doc])* $variant,)*
        }

        impl Placeholder {
            /// Its name in a template.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The placeholder of a name.
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        /// The names of placeholders.
        pub const PLACEHOLDERS: [&str; [$($name),*].len()] = [$($name),*];
    };
}

placeholders! {
    /// The client ID.
    ClientId = "clientId",
    /// The client secret; a Public client has none.
    ClientSecret = "clientSecret",
    /// A key for the application's own cookies: derived like the client secret, the same in every generation.
    CookieSecret = "cookieSecret",
    /// The issuer identifier.
    Issuer = "issuer",
    /// Where discovery begins.
    DiscoveryUrl = "discoveryUrl",
    /// RFC 6749 §3.1.
    AuthorizationEndpoint = "authorizationEndpoint",
    /// RFC 6749 §3.2.
    TokenEndpoint = "tokenEndpoint",
    /// OIDC Core §5.3.
    UserinfoEndpoint = "userinfoEndpoint",
    /// OIDC RP-Initiated Logout §2.
    EndSessionEndpoint = "endSessionEndpoint",
    /// RFC 7009.
    RevocationEndpoint = "revocationEndpoint",
    /// RFC 7662.
    IntrospectionEndpoint = "introspectionEndpoint",
    /// The JWK Set.
    JwksUri = "jwksUri",
    /// The scopes that the client may ask for: a list.
    Scopes = "scopes",
    /// The audiences that the client may ask for: a list.
    Audiences = "audiences",
    /// The name that people see.
    DisplayName = "displayName",
    /// The name of the OAuthClient.
    Name = "name",
    /// Its namespace.
    Namespace = "namespace",
    /// The name of its tenant.
    Tenant = "tenant",
}

/// The names of escapes.
pub const ESCAPES: [&str; 5] = ["raw", "json", "yaml", "url", "csv"];

/// The longest template, in characters.
pub const MAX_TEMPLATE: usize = 4096;
/// The largest number of templates.
pub const MAX_TEMPLATES: usize = 16;

/// The sentence about a template that cannot be read.
pub fn mistake() -> String {
    let (names, escapes) = (PLACEHOLDERS.join(", "), ESCAPES.join(", "));
    format!(
        "has a placeholder that is unknown or not closed: write {{{{ name }}}} or {{{{ name | escape }}}}, where name is one of {names}, and escape one of {escapes}; two braces as they are is {{{{ \"{{{{\" }}}}"
    )
}

/// The regular expression by which the API server tells what can be read as a template.
pub fn pattern() -> String {
    let (names, escapes) = (PLACEHOLDERS.join("|"), ESCAPES.join("|"));
    let placeholder =
        format!("[{{][{{] *(({names}) *([|] *({escapes}) *)?|\"[{{][{{]\" *)[}}][}}]");
    format!("^([^{{]|[{{][^{{]|{placeholder})*[{{]?$")
}

/// Templates by the name of the entry.
pub fn template_schema(_: &mut SchemaGenerator) -> Schema {
    // In CEL, too, a quote is escaped.
    let rule = format!("self.matches('{}')", pattern().replace('"', "\\\""));
    let named = |rule: &str, problem: &str| each_key(rule, "the entry ", problem);
    let entries = entry_rules("key").map(|(rule, message)| named(&rule, message));
    let length = named(
        &format!("size(key) <= {MAX_LEN}"),
        &format!("must not be longer than {MAX_LEN} characters"),
    );
    let rules: Vec<Value> = entries.into_iter().chain([length]).collect();
    json_schema!({
        "type": "object",
        "maxProperties": MAX_TEMPLATES,
        "additionalProperties": {
            "type": "string",
            "maxLength": MAX_TEMPLATE,
            "x-kubernetes-validations": [{ "rule": rule, "message": mistake() }],
        },
        "x-kubernetes-validations": rules,
    })
}
