//! How a browser writes a redirect URI (URL Standard, section 4.4).

use crate::uri::without_dots;

/// The same URI as a browser writes it: of a web address scheme and host in lower case and no default port, and a path without
/// dot segments. `None` if it is written so already.
///
/// It is for a URI that [`super::check`] takes. An empty path is left alone: applications send it as it is.
pub fn browser_form(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let (before_query, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let (authority, path) = match before_query.strip_prefix("//") {
        None => ("", before_query),
        Some(rest) => before_query.split_at(2 + rest.find('/').unwrap_or(rest.len())),
    };
    let authority = match scheme {
        "https" => without_port(authority, ":443"),
        "http" => without_port(authority, ":80"),
        // The host of another scheme is opaque.
        _ => authority.to_owned(),
    };
    let segments = path
        .split('/')
        .map(|segment| dots(segment).unwrap_or(segment));
    let path = without_dots(&segments.collect::<Vec<_>>().join("/"));
    let form = format!("{scheme}:{authority}{path}{query}");
    (form != uri).then_some(form)
}

fn without_port(authority: &str, default: &str) -> String {
    let authority = authority.strip_suffix(default).unwrap_or(authority);
    authority.to_ascii_lowercase()
}

/// A dot segment without its percent-encoding.
fn dots(segment: &str) -> Option<&'static str> {
    match &*segment.to_ascii_lowercase().replace("%2e", ".") {
        "." => Some("."),
        ".." => Some(".."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check;
    use super::*;

    #[test]
    fn case_default_ports_and_dot_segments_are_written_otherwise() {
        for (uri, form) in [
            ("https://APP.example/Cb", "https://app.example/Cb"),
            ("https://app.example:443/cb", "https://app.example/cb"),
            ("http://localhost:80", "http://localhost"),
            ("https://[2001:DB8::443]/", "https://[2001:db8::443]/"),
            (
                "https://a.example/x/../cb?y=/../",
                "https://a.example/cb?y=/../",
            ),
            ("https://a.example/./cb", "https://a.example/cb"),
            ("https://a.example/x/%2E%2e/cb", "https://a.example/cb"),
            ("https://a.example/x/..", "https://a.example/"),
            ("com.example.app:/x/../cb", "com.example.app:/cb"),
        ] {
            assert_eq!(check(uri), Ok(()), "{uri}");
            assert_eq!(browser_form(uri).as_deref(), Some(form), "{uri}");
            assert_eq!(browser_form(form), None, "{form}");
        }
        for uri in [
            "https://app.example",
            "https://app.example?x=A",
            "https://app.example:8443/Cb/",
            "https://a.example/x..y/.well-known/cb",
            "http://localhost:443/cb",
            "http://127.0.0.1/cb",
            "vscode://Publisher.Extension/cb",
            "com.example.app:/Cb",
        ] {
            assert_eq!(check(uri), Ok(()), "{uri}");
            assert_eq!(browser_form(uri), None, "{uri}");
        }
    }

    proptest! {
        /// The parser of browsers agrees on what it reads, but for an empty path.
        #[test]
        fn a_browser_writes_it_in_the_same_form(
            uri in "https://[a-zA-Z]{1,4}[.]example(:443|:8443)?(/(x|X|[.]|[.][.]|%2e|%2E[.]|)){1,5}"
        ) {
            prop_assume!(check(&uri).is_ok());
            let parsed = url::Url::parse(&uri).unwrap();
            let form = browser_form(&uri).unwrap_or_else(|| uri.clone());
            prop_assert_eq!(parsed.as_str(), form);
        }
    }
}
