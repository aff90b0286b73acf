//! How the answer to an authorization request travels (RFC 6749 §4.1.2, OAuth 2.0 Form Post Response Mode, RFC 9207).

use url::form_urlencoded::byte_serialize;

use super::redirect_target::Destination;
use super::refused::Refused;
use crate::OAuthError;

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// An authorization code.
    Code(&'a str),
    /// A refusal.
    Error(OAuthError),
    /// A refusal of what the client asked for.
    Refused(&'a Refused),
}

/// The parameters of the answer. Each carries `iss`, errors included (RFC 9207 §2).
pub fn fields<'a>(
    issuer: &'a str,
    destination: &'a Destination,
    answer: Answer<'a>,
) -> Vec<(&'static str, &'a str)> {
    let mut fields = match answer {
        Answer::Code(code) => vec![("code", code)],
        Answer::Error(error) => vec![
            ("error", error.code.as_str()),
            ("error_description", error.description),
        ],
        Answer::Refused(refused) => vec![
            ("error", refused.error.code.as_str()),
            ("error_description", &refused.description),
        ],
    };
    if let Some(state) = &destination.state {
        fields.push(("state", state));
    }
    fields.push(("iss", issuer));
    fields
}

/// A URI with more parameters in its query; those it has remain (RFC 6749 §3.1.2).
///
/// A space is `%20` and not `+`: a reader of forms and a reader of URIs both decode a space.
pub fn with_query(uri: &str, fields: &[(&str, &str)]) -> String {
    let mut whole = uri.to_owned();
    let mut separator = match uri.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    for (name, value) in fields {
        whole.push_str(separator);
        whole.push_str(name);
        whole.push('=');
        for piece in byte_serialize(value.as_bytes()) {
            whole.push_str(if piece == "+" { "%20" } else { piece });
        }
        separator = "&";
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_uri_has_remains() {
        let fields = [("code", "a b"), ("state", "1&2")];
        for (uri, expected) in [
            ("https://a/cb", "https://a/cb?code=a%20b&state=1%262"),
            (
                "https://a/cb?x=1",
                "https://a/cb?x=1&code=a%20b&state=1%262",
            ),
            ("https://a/cb?", "https://a/cb?code=a%20b&state=1%262"),
            (
                "https://a/cb?x=1&",
                "https://a/cb?x=1&code=a%20b&state=1%262",
            ),
            ("com.a:/cb", "com.a:/cb?code=a%20b&state=1%262"),
        ] {
            assert_eq!(with_query(uri, &fields), expected);
        }
    }

    proptest! {
        #[test]
        fn b29_every_state_comes_back_exactly_and_breaks_no_header(state in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let location = with_query("https://a.example/cb", &[("state", &state)]);
            prop_assert_eq!(location.len(), "https://a.example/cb?state=".len() + crate::form_encoding::encoded_len(&state));
            prop_assert!(location.bytes().all(|b| b.is_ascii_graphic()));
            let parsed = url::Url::parse(&location).unwrap();
            let (_, value) = parsed.query_pairs().next().unwrap();
            prop_assert_eq!(&*value, state.as_str());
        }
    }
}
