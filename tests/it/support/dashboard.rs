//! A dashboard in this process, as a browser of one person uses it.

use clientele_dashboard::server::Bound;
use clientele_kubectl::connect::Session;
use reqwest::RequestBuilder;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use tokio::task::AbortHandle;

use super::test_namespace::http_without_redirects;

/// A dashboard, and a session in it.
pub struct Dashboard {
    /// Its address, without a slash at its end.
    pub origin: String,
    /// `name=value` of the session.
    pub cookie: String,
    http: reqwest::Client,
    serving: AbortHandle,
}

/// An answer.
#[derive(Debug)]
pub struct Shown {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The page.
    pub text: String,
}

impl Shown {
    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.headers
            .get(LOCATION)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Dashboard {
    /// Starts one for a connection; forms propose the namespace.
    pub async fn start(client: kube::Client, namespace: &str, read_only: bool) -> Self {
        let session = Session {
            client,
            namespace: namespace.to_owned(),
            all: false,
            server: "https://test".to_owned(),
        };
        let bound = Bound::new(session, "test".to_owned(), 0, read_only)
            .await
            .unwrap();
        let (origin, token) = (bound.origin(), bound.token().unwrap());
        let serving = tokio::spawn(bound.serve()).abort_handle();
        let mut dashboard = Self {
            origin,
            cookie: String::new(),
            http: http_without_redirects(),
            serving,
        };
        // As a form in a file sends it.
        let posted = dashboard.http.post(format!("{}/session", dashboard.origin));
        let posted = posted
            .header(ORIGIN, "null")
            .header("sec-fetch-site", "cross-site");
        let opened = read(posted.form(&[("token", token.as_str())])).await;
        assert_eq!(opened.status, 200, "{opened:?}");
        let cookie = opened.headers[SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
            "{cookie}"
        );
        dashboard.cookie = cookie.split(';').next().unwrap().to_owned();
        dashboard
    }

    /// A request as the browser sends it from a page of the dashboard.
    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.origin));
        request
            .header(COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin")
    }

    /// A page.
    pub async fn get(&self, path: &str) -> Shown {
        read(self.request(reqwest::Method::GET, path)).await
    }

    /// A fragment, as htmx asks for it.
    pub async fn fragment(&self, path: &str) -> Shown {
        read(
            self.request(reqwest::Method::GET, path)
                .header("hx-request", "true"),
        )
        .await
    }

    /// Sends a form with these fields, and with the form token of the page `from`.
    pub async fn post(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Shown {
        let page = self.get(from).await;
        self.post_with(&page.text, path, fields).await
    }

    /// The same with the form token of this page.
    pub async fn post_with(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = form_token(page);
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        let request = self.request(reqwest::Method::POST, path);
        read(request.header(ORIGIN, &self.origin).form(&all)).await
    }
}

/// Sends a request.
pub async fn read(request: RequestBuilder) -> Shown {
    let answer = request.send().await.unwrap();
    Shown {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

/// The form token of a page.
pub fn form_token(page: &str) -> String {
    let field = page.split_once("name=\"form_token\" value=\"");
    let (_, rest) = field.unwrap_or_else(|| panic!("no form with a token: {page}"));
    rest.split('"').next().unwrap().to_owned()
}
