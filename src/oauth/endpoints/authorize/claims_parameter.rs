//! The `claims` parameter (OIDC Core §5.5): which claims a client asks for one by one.
//!
//! Only names are kept. What a request says a claim should *be* never becomes a claim (§5.5.1 makes values a wish);
//! the one value that matters is that of `sub`, which says who must be signed in.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{ErrorCode, OAuthError};

/// The longest `claims` parameter, in bytes.
pub const MAX_LEN: usize = 4 * 1024;
/// How deep its JSON may be nested.
const MAX_DEPTH: usize = 8;

/// The claims that the server alone decides about. Asking for them is not wrong, and changes nothing.
const RESERVED: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "sid",
    "at_hash",
    "c_hash",
    "client_id",
    "scope",
];

/// The class of authentication of every sign-in: a password, sent over TLS (SAML 2.0 Authentication Context §3.4.6).
pub const CLASS: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

const MALFORMED: OAuthError = OAuthError::invalid_request(
    "claims must be a JSON object with the members id_token and userinfo, each an object of claim names, at most 4 KiB and 8 levels deep",
);

/// The claims that were asked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// To stand in the ID token.
    pub id_token: BTreeSet<String>,
    /// To be answered by the userinfo endpoint.
    pub userinfo: BTreeSet<String>,
    /// Whether the ID token is to name the class of authentication: the claim `acr`, or the parameter `acr_values` (§3.1.2.1).
    pub acr: bool,
    /// Who must be signed in (OIDC Core §5.5.1, the value of `sub`).
    pub subject: Option<String>,
}

impl ClaimsRequest {
    /// Reads the parameter.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.len() > MAX_LEN {
            return Err(MALFORMED);
        }
        let parsed: Value = serde_json::from_str(text).map_err(|_| MALFORMED)?;
        if depth(&parsed) > MAX_DEPTH {
            return Err(MALFORMED);
        }
        let parsed = parsed.as_object().ok_or(MALFORMED)?;
        let id_token = member(parsed, "id_token")?;
        let userinfo = member(parsed, "userinfo")?;
        let acr = acr(id_token)?;
        let subject = match (subject(id_token)?, subject(userinfo)?) {
            (Some(one), Some(other)) if one != other => {
                return Err(OAuthError::invalid_request("claims names two subjects"));
            }
            (one, other) => one.or(other).map(str::to_owned),
        };
        Ok(Self {
            id_token: names(id_token),
            userinfo: names(userinfo),
            acr,
            subject,
        })
    }

    /// The names without those that `allowed` does not have.
    #[must_use]
    pub fn only(mut self, allowed: impl Fn(&str) -> bool) -> Self {
        self.id_token.retain(|name| allowed(name));
        self.userinfo.retain(|name| allowed(name));
        self
    }

    /// Every name, wherever it is to stand.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.id_token.union(&self.userinfo).map(String::as_str)
    }

    /// The names in the form in which they are kept: the same names are the same text. Empty when there are none.
    pub fn normal(&self) -> String {
        if self.id_token.is_empty() && self.userinfo.is_empty() && !self.acr {
            return String::new();
        }
        let mut normal = json!({ "id_token": self.id_token, "userinfo": self.userinfo });
        if self.acr {
            normal["acr"] = true.into();
        }
        normal.to_string()
    }

    /// The names that [`Self::normal`] wrote. Anything else is read as no names.
    pub fn from_normal(text: &str) -> Self {
        let parsed: Value = serde_json::from_str(text).unwrap_or_default();
        let names = |member: &str| {
            let names = parsed.get(member).and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        };
        Self {
            id_token: names("id_token"),
            userinfo: names("userinfo"),
            acr: parsed.get("acr") == Some(&Value::Bool(true)),
            subject: None,
        }
    }
}

/// How many levels of objects and arrays there are. The text is short, so this does not go deep.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A member that lists claims. Unknown members are ignored (§5.5), as is one that is null.
fn member<'a>(
    request: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, OAuthError> {
    match request.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(claims)) => {
            let well_formed = |wish: &Value| wish.is_null() || wish.is_object();
            if claims.values().all(well_formed) {
                Ok(Some(claims))
            } else {
                Err(MALFORMED)
            }
        }
        Some(_) => Err(MALFORMED),
    }
}

fn names(claims: Option<&Map<String, Value>>) -> BTreeSet<String> {
    let names = claims.into_iter().flat_map(Map::keys);
    names
        .filter(|name| !RESERVED.contains(&name.as_str()))
        .cloned()
        .collect()
}

/// The subject that `{"sub": {"value": …}}` names.
fn subject(claims: Option<&Map<String, Value>>) -> Result<Option<&str>, OAuthError> {
    let wish = claims.and_then(|claims| claims.get("sub"));
    match wish.and_then(|wish| wish.get("value")) {
        None => Ok(None),
        Some(Value::String(subject)) => Ok(Some(subject)),
        Some(_) => Err(MALFORMED),
    }
}

/// Whether `acr` is asked for. One that is essential and has values that cannot be met is a failed authentication
/// (§5.5.1.1): there is one class.
fn acr(claims: Option<&Map<String, Value>>) -> Result<bool, OAuthError> {
    let Some(wish) = claims.and_then(|claims| claims.get("acr")) else {
        return Ok(false);
    };
    let essential = wish.get("essential") == Some(&Value::Bool(true));
    let value = wish.get("value").is_none_or(|value| value == CLASS);
    let is_ours = |values: &Vec<Value>| values.iter().any(|value| value == CLASS);
    let values = wish.get("values");
    let values = values.is_none_or(|values| values.as_array().is_some_and(is_ours));
    if essential && !(value && values) {
        return Err(OAuthError::new(
            ErrorCode::AccessDenied,
            "claims demands a class of authentication (acr) that this server does not offer; acr_values_supported lists those that it does",
        ));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn names_are_kept_with_the_place_where_they_are_to_stand() {
        let asked = ClaimsRequest::parse(
            r#"{"id_token":{"email":null,"name":{"essential":true}},"userinfo":{"phone_number":{"value":"1"}},"x":1}"#,
        )
        .unwrap();
        assert_eq!(asked.id_token, set(&["email", "name"]));
        assert_eq!(asked.userinfo, set(&["phone_number"]));
        assert_eq!(asked.subject, None);
        assert_eq!(
            asked.names().collect::<Vec<_>>(),
            ["email", "name", "phone_number"]
        );
    }

    #[test]
    fn b32_reserved_claims_are_asked_for_in_vain() {
        let asked = ClaimsRequest::parse(
            r#"{"id_token":{"iss":{"value":"https://evil"},"aud":null,"exp":null,"sub":{"value":"p"},"auth_time":{"essential":true}}}"#,
        )
        .unwrap();
        assert_eq!(asked.id_token, set(&[]));
        assert_eq!(asked.subject.as_deref(), Some("p"));
        assert_eq!(asked.normal(), "");
    }

    #[test]
    fn b31_malformed_deep_or_large_requests_are_invalid() {
        let deep = format!(
            r#"{{"id_token":{{"a":{{"value":{}1{}}}}}}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        let nested = r#"{"id_token":{"a":{"value":[[[[[[1]]]]]]}}}"#;
        let large = format!(r#"{{"id_token":{{"{}":null}}}}"#, "a".repeat(MAX_LEN));
        for bad in [
            "",
            "{bad json",
            "[]",
            "null",
            "1",
            r#"{"id_token":[]}"#,
            r#"{"id_token":{"a":1}}"#,
            r#"{"userinfo":"x"}"#,
            r#"{"id_token":{"sub":{"value":1}}}"#,
            r#"{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}"#,
            &deep,
            nested,
            &large,
        ] {
            let refused = ClaimsRequest::parse(bad).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest, "{bad}");
        }
    }

    #[test]
    fn b35_an_essential_class_of_authentication_is_met_or_refused() {
        for (acr, met) in [
            (r#"{"essential":true,"values":["urn:mfa"]}"#, false),
            (r#"{"essential":true,"value":"1"}"#, false),
            (r#"{"essential":true,"values":"urn:mfa"}"#, false),
            (&*format!(r#"{{"essential":true,"value":"{CLASS}"}}"#), true),
            (
                &*format!(r#"{{"essential":true,"values":["urn:mfa","{CLASS}"]}}"#),
                true,
            ),
            (r#"{"values":["urn:mfa"]}"#, true),
            (r#"{"essential":true}"#, true),
            ("null", true),
        ] {
            let parsed = ClaimsRequest::parse(&format!(r#"{{"id_token":{{"acr":{acr}}}}}"#));
            let asked = parsed.map(|parsed| parsed.acr).map_err(|error| error.code);
            assert_eq!(
                asked,
                met.then_some(true).ok_or(ErrorCode::AccessDenied),
                "{acr}"
            );
        }
    }

    proptest! {
        #[test]
        fn p3_no_text_makes_it_panic(text in ".{0,300}") {
            let _ = ClaimsRequest::parse(&text);
            let _ = ClaimsRequest::from_normal(&text);
        }

        #[test]
        fn what_is_kept_comes_back(
            id_token in proptest::collection::btree_set(".{1,12}", 0..6),
            userinfo in proptest::collection::btree_set(".{1,12}", 0..6),
            acr: bool,
        ) {
            let asked = ClaimsRequest { id_token, userinfo, acr, subject: None };
            prop_assert_eq!(ClaimsRequest::from_normal(&asked.normal()), asked.clone());
            let asked = asked.only(|name| !RESERVED.contains(&name));
            let parsed = ClaimsRequest::parse(&serde_json::json!({
                "id_token": asked.id_token.iter().map(|n| (n.clone(), Value::Null)).collect::<Map<_, _>>(),
                "userinfo": asked.userinfo.iter().map(|n| (n.clone(), Value::Null)).collect::<Map<_, _>>(),
            }).to_string());
            prop_assert_eq!(parsed, Ok(ClaimsRequest { acr: false, ..asked }));
        }
    }
}
