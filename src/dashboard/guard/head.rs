//! The judgement of a request by its head alone.

use axum::extract::Request;
use axum::http::header::{COOKIE, HOST, HeaderMap, ORIGIN};
use axum::http::{Method, StatusCode, Uri};

use crate::problem::Problem;

/// What is judged.
pub struct Head<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

/// What a request that passes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A stylesheet, script or icon: the same for everybody.
    Asset,
    /// The one-time token.
    Session,
    /// Everything else; it needs a session.
    Page,
}

impl<'a> Head<'a> {
    /// The head of a request.
    pub fn of(request: &'a Request) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
        }
    }

    /// Which entry the request may use. `authority` and `origin` are those of this dashboard.
    pub fn judge(&self, authority: &str, origin: &str) -> Result<Entry, Problem> {
        self.host(authority)?;
        if !matches!(*self.method, Method::GET | Method::HEAD | Method::POST) {
            return Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address has no such method.",
                "Use the forms of the dashboard.",
            ));
        }
        let writes = *self.method == Method::POST;
        if writes && self.uri.path() == "/session" {
            return Ok(Entry::Session);
        }
        self.site(writes)?;
        if writes && self.only(ORIGIN.as_str()) != Some(origin) {
            return Err(elsewhere());
        }
        if self.uri.path().starts_with("/assets/") && !writes {
            return Ok(Entry::Asset);
        }
        Ok(Entry::Page)
    }

    fn host(&self, authority: &str) -> Result<(), Problem> {
        let in_uri = self
            .uri
            .authority()
            .is_none_or(|there| there.as_str() == authority);
        if in_uri && self.only(HOST.as_str()) == Some(authority) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "This dashboard does not serve this host name.",
            format!("Open http://{authority}/, exactly as the terminal prints it."),
        ))
    }

    /// Where the request comes from, as browsers say it. `none` is an address that a person typed or a bookmark.
    fn site(&self, writes: bool) -> Result<(), Problem> {
        match self.only("sec-fetch-site") {
            Some("same-origin") => Ok(()),
            Some("none") if !writes => Ok(()),
            Some(_) => Err(elsewhere()),
            None => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "The request has no header Sec-Fetch-Site, so it is not known which page sent it.",
                "Use a browser of 2023 or newer; from a program use kubectl or kubectl clientele.",
            )),
        }
    }

    /// The value of a header that occurs exactly once.
    fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }
}

fn elsewhere() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "Another site or file led to this address; nothing was shown or changed.",
        "If you meant to come here, type the address into the address bar of the browser.",
    )
}

/// Whether htmx asks for a fragment. When the browser goes back, htmx asks for the page.
pub fn wants_fragment(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request") && !headers.contains_key("hx-history-restore-request")
}

/// The values of a cookie. Another program on another port may have set one of the same name for a longer path, which
/// browsers send first.
pub fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    pairs.filter_map(move |pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const HERE: &str = "127.0.0.1:8090";
    const ORIGIN_HERE: &str = "http://127.0.0.1:8090";

    fn judged(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Entry, u16> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let judged = Head::of(&request).judge(HERE, ORIGIN_HERE);
        judged.map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn o01_every_host_origin_and_site_is_judged() {
        let hosts = [
            Some(HERE),
            Some("localhost:8090"),
            Some("127.0.0.1"),
            Some("127.0.0.1:8091"),
            Some("evil.example:8090"),
            None,
        ];
        let origins = [
            Some(ORIGIN_HERE),
            Some("null"),
            Some("http://127.0.0.1:8091"),
            Some("http://evil.example"),
            None,
        ];
        let sites = [
            Some("same-origin"),
            Some("none"),
            Some("same-site"),
            Some("cross-site"),
            Some("Same-Origin"),
            None,
        ];
        let (origins, sites) = (&origins, &sites);
        for method in ["GET", "POST"] {
            for path in ["/clients", "/assets/style.css", "/session"] {
                for (host, origin, site) in hosts.iter().flat_map(|host| {
                    origins
                        .iter()
                        .flat_map(move |origin| sites.iter().map(move |site| (host, origin, site)))
                }) {
                    let given = [("host", host), ("origin", origin), ("sec-fetch-site", site)];
                    let headers: Vec<(&str, &str)> = given
                        .iter()
                        .filter_map(|(name, value)| value.map(|value| (*name, value)))
                        .collect();
                    let from_here = *site == Some("same-origin");
                    let allowed = match method {
                        "POST" => from_here && *origin == Some(ORIGIN_HERE),
                        _ => from_here || *site == Some("none"),
                    };
                    let expected = if *host != Some(HERE) {
                        Err(421)
                    } else if method == "POST" && path == "/session" {
                        Ok(Entry::Session)
                    } else if !allowed {
                        Err(403)
                    } else if method == "GET" && path == "/assets/style.css" {
                        Ok(Entry::Asset)
                    } else {
                        Ok(Entry::Page)
                    };
                    assert_eq!(
                        judged(method, path, &headers),
                        expected,
                        "{method} {path} {headers:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn o01_a_header_that_occurs_twice_counts_as_none() {
        let here = [
            ("host", HERE),
            ("sec-fetch-site", "same-origin"),
            ("origin", ORIGIN_HERE),
        ];
        assert_eq!(judged("POST", "/clients", &here), Ok(Entry::Page));
        for again in here {
            let twice: Vec<_> = here.into_iter().chain([again]).collect();
            assert!(judged("POST", "/clients", &twice).is_err(), "{again:?}");
        }
    }

    #[test]
    fn o01_another_authority_in_the_request_line_is_refused() {
        let here = [("host", HERE), ("sec-fetch-site", "none")];
        assert_eq!(
            judged("GET", "http://evil.example/clients", &here),
            Err(421)
        );
        assert_eq!(
            judged("GET", &format!("{ORIGIN_HERE}/clients"), &here),
            Ok(Entry::Page)
        );
        assert_eq!(judged("DELETE", "/clients", &here), Err(405));
    }

    #[test]
    fn o03_a_cookie_is_found_by_its_exact_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "clientele-dashboard-8090x=1; a=2".parse().unwrap());
        headers.append(
            COOKIE,
            "b=3; clientele-dashboard-8090=yes; c; clientele-dashboard-8090=again"
                .parse()
                .unwrap(),
        );
        let found: Vec<&str> = cookies(&headers, "clientele-dashboard-8090").collect();
        assert_eq!(found, ["yes", "again"]);
        assert_eq!(cookies(&headers, "clientele-dashboard-809").count(), 0);
    }

    #[test]
    fn going_back_asks_for_the_page() {
        let mut headers = HeaderMap::new();
        assert!(!wants_fragment(&headers));
        headers.insert("hx-request", "true".parse().unwrap());
        assert!(wants_fragment(&headers));
        headers.insert("hx-history-restore-request", "true".parse().unwrap());
        assert!(!wants_fragment(&headers));
    }
}
