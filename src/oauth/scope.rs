//! Scope values (RFC 6749 §3.3).

use super::OAuthError;

/// At most this many scopes in one request.
pub const MAX_SCOPES: usize = 64;

/// Whether the text is a scope-token: `1*( %x21 / %x23-5B / %x5D-7E )`.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// The scope tokens of a `scope` parameter, each once, in the order asked.
pub fn parse(scope: &str) -> Result<Vec<&str>, OAuthError> {
    let mut tokens = Vec::new();
    for token in scope.split(' ').filter(|token| !token.is_empty()) {
        if !is_scope_token(token) {
            return Err(OAuthError::invalid_scope(
                "scope contains a character that RFC 6749 section 3.3 does not allow",
            ));
        }
        if tokens.contains(&token) {
            continue;
        }
        if tokens.len() == MAX_SCOPES {
            return Err(OAuthError::invalid_scope("scope lists more than 64 values"));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scopes_are_split_at_spaces_and_named_once() {
        assert_eq!(parse("a b  a c"), Ok(vec!["a", "b", "c"]));
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn quotes_backslashes_controls_and_non_ascii_are_refused() {
        for bad in ["a\"b", "a\\b", "a\tb", "a\u{7f}", "ä", "a\u{0}b"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_a_list_of_distinct_scope_tokens(text in ".{0,200}") {
            if let Ok(tokens) = parse(&text) {
                for (i, token) in tokens.iter().enumerate() {
                    prop_assert!(is_scope_token(token));
                    prop_assert!(!tokens[..i].contains(token));
                }
            }
        }

        #[test]
        fn every_legal_list_comes_back_in_its_order(tokens in proptest::collection::hash_set("[!#-\\[\\]-~]{1,12}", 0..20)) {
            let tokens: Vec<String> = tokens.into_iter().collect();
            let text = tokens.join(" ");
            prop_assert_eq!(parse(&text).unwrap(), tokens);
        }
    }
}
