//! A browser: keeps cookies, follows redirects on the server's own host, and sends the forms of pages back.
//!
//! It says what real browsers say by themselves: `Origin` and `Sec-Fetch-Site` with a form, `Sec-Fetch-Mode` without one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use clientele_http::server::Peer;
use url::form_urlencoded::Serializer;

use super::form::{Form, forms};
use super::people::PASSWORD;
use super::reply::Reply;
use super::test_server::{FORM, ISSUER, TestServer};

/// A server that runs, and answers requests for paths of its issuer.
pub trait Server: Send + Sync {
    /// Its issuer.
    fn issuer(&self) -> &str;
    /// Its answer.
    fn send(&self, request: Request<Body>) -> Answer<'_>;
}

/// An answer that is on its way.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Where a browser goes.
#[derive(Clone)]
enum Site<'w> {
    /// The router of a world, in this process.
    TestServer(&'w TestServer),
    /// A server that runs.
    Server(Arc<dyn Server>),
}

impl Site<'_> {
    fn issuer(&self) -> &str {
        match self {
            Self::TestServer(_) => ISSUER,
            Self::Server(server) => server.issuer(),
        }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        match self {
            Self::TestServer(world) => world.send(request).await,
            Self::Server(server) => server.send(request).await,
        }
    }
}

/// A browser that visits a world, or a server that runs.
pub struct Browser<'w> {
    site: Site<'w>,
    /// What it would send.
    pub cookies: BTreeMap<String, String>,
    /// Headers that it sends with every request.
    pub headers: Vec<(&'static str, String)>,
    /// Whether it says by itself from which page a form comes.
    pub says_origin: bool,
    /// Its address.
    pub peer: SocketAddr,
}

/// Where a browser arrived: at a page, or at a redirect that leads to another server.
#[derive(Debug)]
pub struct Page {
    /// The address of the page.
    pub url: String,
    path: String,
    /// The last answer.
    pub reply: Reply,
    /// Every `Set-Cookie` on the way.
    pub cookies: Vec<String>,
    /// The status of every answer on the way.
    pub statuses: Vec<u16>,
}

impl Browser<'static> {
    /// Without cookies, in front of a server that runs.
    pub fn before(server: impl Server + 'static) -> Self {
        Self::on(Site::Server(Arc::new(server)))
    }
}

impl<'w> Browser<'w> {
    /// Without cookies.
    pub fn new(world: &'w TestServer) -> Self {
        Self::on(Site::TestServer(world))
    }

    fn on(site: Site<'w>) -> Self {
        Self {
            site,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
            says_origin: true,
            peer: "192.0.2.1:50000".parse().unwrap(),
        }
    }

    /// Another browser with the same cookies.
    pub fn twin(&self) -> Self {
        Self {
            cookies: self.cookies.clone(),
            ..Self::on(self.site.clone())
        }
    }

    /// The same browser in front of another replica.
    pub fn at(&self, world: &'w TestServer) -> Self {
        Self {
            site: Site::TestServer(world),
            ..self.twin()
        }
    }

    /// One request, without following.
    pub async fn request(&mut self, method: &str, url: &str, form: Option<&str>) -> Reply {
        let issuer = self.site.issuer().to_owned();
        let path = url.strip_prefix(&issuer).unwrap_or(url);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if self.says_origin && form.is_none() {
            request = request.header("sec-fetch-mode", "navigate");
        }
        if form.is_some() {
            request = request.header(CONTENT_TYPE, FORM);
            if self.says_origin {
                request = request
                    .header(ORIGIN, &issuer)
                    .header("sec-fetch-site", "same-origin");
            }
        }
        let body = form.map_or_else(Body::empty, |form| Body::from(form.to_owned()));
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Peer(self.peer));
        let reply = self.site.send(request).await;
        self.keep(&reply);
        reply
    }

    fn keep(&mut self, reply: &Reply) {
        for cookie in set_cookies(reply) {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Opens an address and follows.
    pub async fn open(&mut self, url: &str) -> Page {
        let reply = self.request("GET", url, None).await;
        self.follow(url.to_owned(), reply).await
    }

    /// Posts a form and follows.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post_raw(url, &form).await
    }

    /// Posts an encoded form and follows.
    pub async fn post_raw(&mut self, url: &str, form: &str) -> Page {
        let reply = self.request("POST", url, Some(form)).await;
        self.follow(url.to_owned(), reply).await
    }

    async fn follow(&mut self, mut url: String, mut reply: Reply) -> Page {
        let (mut cookies, mut statuses) = (set_cookies(&reply), vec![reply.status]);
        let issuer = self.site.issuer().to_owned();
        let within = format!("{issuer}/");
        while reply.status == 303 && reply.header("location").starts_with(&within) {
            assert!(statuses.len() < 10, "redirects do not end: {url}");
            url = reply.header("location").to_owned();
            reply = self.request("GET", &url, None).await;
            cookies.extend(set_cookies(&reply));
            statuses.push(reply.status);
        }
        Page {
            path: path_of(&url, &issuer, &reply),
            url,
            reply,
            cookies,
            statuses,
        }
    }

    /// Sends the first form of a page with these fields filled in, and follows.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        self.send(&page.form(), fields).await
    }

    /// Sends a form with these fields filled in, and follows.
    pub async fn send(&mut self, form: &Form, fields: &[(&str, &str)]) -> Page {
        let sent = form.filled(fields);
        let sent: Vec<(&str, &str)> = sent.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.post(&form.action, &sent).await
    }

    /// Fills in the page to sign in.
    pub async fn sign_in_at(&mut self, page: &Page, username: &str) -> Page {
        self.submit(page, &[("username", username), ("password", PASSWORD)])
            .await
    }

    /// Signs in by the account page of the tenant `default`.
    pub async fn sign_in(&mut self, username: &str) -> Page {
        let page = self.open("/account").await;
        let page = self.sign_in_at(&page, username).await;
        assert_eq!((page.reply.status, page.path()), (200, "/account"));
        page
    }

    /// Opens an authorization request, signs in and agrees as far as asked, and returns what the client is told.
    pub async fn allow(&mut self, url: &str, username: &str) -> BTreeMap<String, String> {
        let mut page = self.open(url).await;
        if page.path() == "/login" {
            page = self.sign_in_at(&page, username).await;
        }
        if page.path() == "/consent" {
            page = self.submit(&page, &[("decision", "allow")]).await;
        }
        page.told()
    }
}

fn path_of(url: &str, issuer: &str, reply: &Reply) -> String {
    let is_page = reply.header("content-type").starts_with("text/html");
    let shown = if is_page {
        forms(&reply.body)
    } else {
        Vec::new()
    };
    let ours = shown
        .first()
        .map(|form| &*form.action)
        .filter(|action| action.starts_with('/'));
    let base = clientele_oauth::registry::issuer_path(issuer);
    let path = match ours {
        Some(action) => action.strip_prefix(base).unwrap_or(action),
        None => url.strip_prefix(issuer).unwrap_or(url),
    };
    path.split('?').next().unwrap_or_default().to_owned()
}

fn set_cookies(reply: &Reply) -> Vec<String> {
    let all = reply.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().unwrap().to_owned())
        .collect()
}

impl Page {
    /// Which page it is: the path to which its form leads, because `/authorize` shows the pages of other endpoints; without
    /// a form of ours, the path of its address.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The first form.
    #[track_caller]
    pub fn form(&self) -> Form {
        let mut all = forms(&self.reply.body);
        assert!(
            !all.is_empty(),
            "{} has no form: {:?}",
            self.url,
            self.reply
        );
        all.swap_remove(0)
    }

    /// The form with a button of this name and value.
    #[track_caller]
    pub fn form_with(&self, name: &str, value: &str) -> Form {
        let button = (name.to_owned(), value.to_owned());
        let mut all = forms(&self.reply.body).into_iter();
        all.find(|form| form.buttons.contains(&button))
            .unwrap_or_else(|| panic!("no button {button:?} on {}", self.reply.body))
    }

    /// The sealed transaction that the page would send back.
    #[track_caller]
    pub fn transaction(&self) -> String {
        self.form().hidden["transaction"].clone()
    }

    /// What the client is told, by the query of a redirect or by a form.
    #[track_caller]
    pub fn told(&self) -> BTreeMap<String, String> {
        if self.reply.status == 200 {
            let form = self.form();
            assert!(
                !form.action.starts_with('/'),
                "a page of ours: {:?}",
                self.reply
            );
            return form.hidden;
        }
        assert_eq!(self.reply.status, 303, "{:?}", self.reply);
        let location = url::Url::parse(self.reply.header("location")).unwrap();
        location.query_pairs().into_owned().collect()
    }

    /// The row's PAGE400 (or another status): a page, no `Location`, an error code.
    #[track_caller]
    pub fn stops(&self, status: u16, code: &str) {
        let reply = &self.reply;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.header("location"), "", "{reply:?}");
        assert_eq!(reply.header("x-clientele-error"), code, "{reply:?}");
        assert!(
            reply.header("content-type").starts_with("text/html"),
            "{reply:?}"
        );
        assert_eq!(reply.header("cache-control"), "no-store");
        let session = |cookie: &String| cookie.starts_with("__Host-clientele-default=");
        assert!(
            !self.cookies.iter().any(session),
            "a session begins: {:?}",
            self.cookies
        );
    }

    /// The row's REDIR(e): 303 to the redirect URI with the error, `state` and `iss`, and no code.
    #[track_caller]
    pub fn redirects(&self, error: &str) {
        let told = self.told();
        assert_eq!(
            told.get("error").map(String::as_str),
            Some(error),
            "{told:?}"
        );
        assert_eq!(
            told.get("iss").map(String::as_str),
            Some(ISSUER),
            "{told:?}"
        );
        assert!(!told.contains_key("code"), "{told:?}");
        let description = &told["error_description"];
        let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(description.bytes().all(allowed), "{description}");
    }
}
