//! Whose ID token it is (`OpenID` Connect Core 1.0 section 3.1.3.7). It comes from the token endpoint itself, by TLS or on loopback, so its
//! signature is left to the API server, which verifies it at every request.

use clientele_kubectl::shared::text;
use serde_json::Value;

/// The person, and how long the token makes them a user of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `sub`
    pub subject: String,
    /// The name to show.
    pub name: String,
    /// How many seconds the token is good for.
    pub seconds: u64,
}

/// What the token must say.
pub struct Expected<'a> {
    /// `iss`
    pub issuer: &'a str,
    /// `aud`
    pub client_id: &'a str,
    /// `nonce`
    pub nonce: &'a str,
}

/// The person, or the claim that is wrong. `now` is in seconds since 1970.
pub fn identity(
    claims: &Value,
    expected: &Expected<'_>,
    now: u64,
) -> Result<Identity, &'static str> {
    if text(claims, "/iss") != expected.issuer {
        return Err("iss");
    }
    let audience = match &claims["aud"] {
        Value::String(one) => one == expected.client_id,
        Value::Array(several) => several.len() == 1 && several[0] == expected.client_id,
        _ => false,
    };
    if !audience {
        return Err("aud");
    }
    if text(claims, "/nonce") != expected.nonce {
        return Err("nonce");
    }
    let subject = text(claims, "/sub");
    if subject.is_empty() {
        return Err("sub");
    }
    let ends = claims["exp"].as_u64().unwrap_or(0);
    let seconds = ends
        .checked_sub(now)
        .filter(|left| *left > 0)
        .ok_or("exp")?;
    let names = ["/preferred_username", "/name", "/sub"];
    let name = names.into_iter().map(|claim| text(claims, claim));
    Ok(Identity {
        subject: subject.to_owned(),
        name: name
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default()
            .to_owned(),
        seconds,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(changed: &[(&str, Value)]) -> Value {
        let mut claims = json!({
            "iss": "https://id.example", "aud": "apps.dashboard", "nonce": "n", "sub": "s1",
            "exp": 1_600, "preferred_username": "ada",
        });
        for (name, value) in changed {
            claims[name] = value.clone();
        }
        claims
    }

    #[test]
    fn o12_a_token_of_another_sign_in_is_refused() {
        let expected = Expected {
            issuer: "https://id.example",
            client_id: "apps.dashboard",
            nonce: "n",
        };
        let of = |changed: &[(&str, Value)]| identity(&claims(changed), &expected, 1_000);
        let ada = of(&[]).unwrap();
        assert_eq!(
            (ada.subject.as_str(), ada.name.as_str(), ada.seconds),
            ("s1", "ada", 600)
        );
        assert!(of(&[("aud", json!(["apps.dashboard"]))]).is_ok());
        assert_eq!(
            of(&[("preferred_username", json!(null))]).unwrap().name,
            "s1"
        );
        for (claim, value) in [
            ("iss", json!("https://id.example/")),
            ("aud", json!("apps.other")),
            ("aud", json!(["apps.dashboard", "apps.other"])),
            ("aud", json!(null)),
            ("nonce", json!("m")),
            ("nonce", json!(null)),
            ("sub", json!("")),
            ("exp", json!(1_000)),
            ("exp", json!("1600")),
            ("exp", json!(-1)),
        ] {
            assert_eq!(
                of(&[(claim, value.clone())]),
                Err(claim),
                "{claim}: {value}"
            );
        }
    }
}
