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
    /// The answer of the issuer to a sign-in.
    Callback,
    /// A link of another site to a page. The page is not shown before the person says so.
    Elsewhere,
}

/// The dashboard that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// The only `Host`.
    pub authority: &'a str,
    /// The only `Origin` of a write.
    pub origin: &'a str,
    /// Whether people sign in at the issuer. Otherwise there is a one-time token.
    pub people: bool,
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

    /// Which entry the request may use.
    pub fn judge(&self, here: Here<'_>) -> Result<Entry, Problem> {
        self.host(here)?;
        if !matches!(*self.method, Method::GET | Method::HEAD | Method::POST) {
            return Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address has no such method.",
                "Use the forms of the dashboard.",
            ));
        }
        let writes = *self.method == Method::POST;
        if here.people && !writes {
            // A cookie of the same browser proves what the answer belongs to.
            if self.uri.path() == "/callback" {
                return Ok(Entry::Callback);
            }
            if self.is_link() {
                return Ok(Entry::Elsewhere);
            }
        }
        if !here.people && writes && self.uri.path() == "/session" {
            return Ok(Entry::Session);
        }
        self.site(writes)?;
        if writes && self.only(ORIGIN.as_str()) != Some(here.origin) {
            return Err(elsewhere());
        }
        if self.uri.path().starts_with("/assets/") && !writes {
            return Ok(Entry::Asset);
        }
        Ok(Entry::Page)
    }

    /// A link or a redirect that shows a page in a tab: neither a script, nor a frame, nor an image.
    fn is_link(&self) -> bool {
        let foreign = matches!(
            self.only("sec-fetch-site"),
            Some("cross-site" | "same-site")
        );
        foreign
            && self.only("sec-fetch-mode") == Some("navigate")
            && self.only("sec-fetch-dest") == Some("document")
    }

    fn host(&self, here: Here<'_>) -> Result<(), Problem> {
        let authority = here.authority;
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
            format!("Open {}/, exactly as it is written here.", here.origin),
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
        judged_by(&request, false)
    }

    fn judged_by(request: &Request, people: bool) -> Result<Entry, u16> {
        let here = Here {
            authority: HERE,
            origin: ORIGIN_HERE,
            people,
        };
        let judged = Head::of(request).judge(here);
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
    fn o14_only_a_link_may_come_from_elsewhere() {
        let of = |method: &str, path: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", HERE);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            judged_by(&request.body(Body::empty()).unwrap(), true)
        };
        let from = |site, mode, dest| {
            [
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ]
        };
        let link = from("cross-site", "navigate", "document");
        assert_eq!(of("GET", "/clients", &link), Ok(Entry::Elsewhere));
        assert_eq!(
            of(
                "GET",
                "/clients",
                &from("same-site", "navigate", "document")
            ),
            Ok(Entry::Elsewhere)
        );
        for other in [
            from("cross-site", "navigate", "iframe"),
            from("cross-site", "no-cors", "image"),
            from("same-site", "cors", "empty"),
            from("cross-site", "websocket", "document"),
        ] {
            assert_eq!(of("GET", "/clients", &other), Err(403), "{other:?}");
        }
        assert_eq!(of("POST", "/clients/new", &link), Err(403));
        assert_eq!(of("GET", "/callback?code=c", &link), Ok(Entry::Callback));
        assert_eq!(
            of("POST", "/callback", &link),
            Err(403),
            "form_post is not used"
        );
        assert_eq!(
            of("POST", "/session", &link),
            Err(403),
            "there is no one-time token"
        );
        let own = from("same-origin", "navigate", "document");
        assert_eq!(of("GET", "/clients", &own), Ok(Entry::Page));
        assert_eq!(of("GET", "/callback", &[("host", HERE)]), Err(421));
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
