//! In the cluster: from a visitor without a session to a person who signed in, and back.

use std::time::Instant;

use axum::extract::Request;
use axum::http::header::{ACCEPT, HeaderValue, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;

use super::head::{self, Entry};
use super::{Admitted, pages, with_form};
use crate::app::App;
use crate::form::Fields;
use crate::list::live;
use crate::problem::Problem;
use crate::sign_in::challenge::{PATIENCE, cookie_suffix};
use crate::sign_in::{Arrival, SignIn};

/// One request.
pub struct Visitor<'a> {
    app: &'a App,
    sign_in: &'a SignIn,
    fragment: bool,
}

/// How a request wants its answer, where it has to renew the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// A page, which the browser can leave for a moment.
    Page,
    /// A part of a page, which is loaded again.
    Fragment,
    /// The stream of changes.
    Stream,
    /// A form, with what a person typed.
    Form,
    /// The check of a form while a person types.
    Check,
}

impl<'a> Visitor<'a> {
    /// A request of this dashboard.
    pub fn new(app: &'a App, sign_in: &'a SignIn, fragment: bool) -> Self {
        Self {
            app,
            sign_in,
            fragment,
        }
    }

    /// Lets it on, or answers it.
    pub async fn admit(&self, entry: Entry, request: Request) -> Result<Admitted, Problem> {
        let path = request.uri().path_and_query();
        let path = path.map_or("/", |path| path.as_str()).to_owned();
        match entry {
            Entry::Callback => {
                return self
                    .arrive(&request.into_parts().0)
                    .await
                    .map(Admitted::Answered);
            }
            Entry::Elsewhere => {
                let page = pages::elsewhere(&self.app.version, &path);
                return Ok(Admitted::Answered(page));
            }
            Entry::Asset | Entry::Session | Entry::Page => {}
        }
        let now = Instant::now();
        let asks = self.asks(&request);
        let find = |cookie| self.sign_in.people.find(cookie, now);
        let entered = head::cookies(request.headers(), &self.app.cookie).find_map(find);
        let Some(entered) = entered else {
            if request.uri().path() == "/signed-out" {
                let page = pages::signed_out(&self.app.version, None);
                return Ok(Admitted::Answered(page));
            }
            return self
                .without_session(asks, &path)
                .await
                .map(Admitted::Answered);
        };
        if request.method() == Method::POST && request.uri().path() == "/sign-out" {
            // Also with a token that has ended.
            let person = self.app.guest(&entered, self.fragment);
            with_form(person, request).await?;
            return Ok(Admitted::Answered(self.leave(&entered.cookie).await));
        }
        let ends = match asks {
            Asks::Page => entered.connection.renews,
            _ => entered.connection.ends,
        };
        if now >= ends {
            return self.renew(asks, &path).await.map(Admitted::Answered);
        }
        with_form(self.app.guest(&entered, self.fragment), request).await
    }

    fn asks(&self, request: &Request) -> Asks {
        let stream = request.headers().get(ACCEPT);
        if request.method() == Method::POST {
            match (self.fragment, request.headers().contains_key("hx-target")) {
                (false, _) => Asks::Form,
                (true, true) => Asks::Fragment,
                (true, false) => Asks::Check,
            }
        } else if stream.is_some_and(|kinds| kinds == "text/event-stream") {
            Asks::Stream
        } else if self.fragment {
            Asks::Fragment
        } else {
            Asks::Page
        }
    }

    /// Signs a visitor in. A page that was open when its session ended says so: it would undo a sign-out.
    async fn without_session(&self, asks: Asks, path: &str) -> Result<Response, Problem> {
        match asks {
            Asks::Page => self.depart(path).await,
            Asks::Fragment => Ok(navigate("hx-redirect", "/signed-out")),
            Asks::Stream => Ok(live::gone()),
            Asks::Form | Asks::Check => Ok(pages::ended(&self.app.version, self.fragment)),
        }
    }

    /// Renews the sign-in of a session whose token has ended, or is about to.
    async fn renew(&self, asks: Asks, path: &str) -> Result<Response, Problem> {
        match asks {
            Asks::Page => self.depart(path).await,
            Asks::Fragment => Ok(navigate("hx-refresh", "true")),
            Asks::Stream => Ok(live::renew()),
            Asks::Form | Asks::Check => Ok(pages::ended(&self.app.version, self.fragment)),
        }
    }

    async fn depart(&self, path: &str) -> Result<Response, Problem> {
        let departure = self.sign_in.depart(path).await?;
        let challenge = &departure.challenge;
        let lasts = i64::try_from(PATIENCE.as_secs()).map(SignedDuration::from_secs);
        let cookie = self.login_cookie(
            challenge.state(),
            challenge.value(),
            lasts.unwrap_or_default(),
        );
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        for (name, value) in [(LOCATION, departure.address), (SET_COOKIE, cookie)] {
            let value = HeaderValue::try_from(value).map_err(|_| unsendable())?;
            headers.append(name, value);
        }
        Ok(response)
    }

    async fn arrive(&self, request: &Parts) -> Result<Response, Problem> {
        let query = request.uri.query().unwrap_or_default();
        let answer = Fields::parse(query.as_bytes());
        let name = self.login_name(answer.get("state"));
        let challenge = head::cookies(&request.headers, &name).next();
        let session = head::cookies(&request.headers, &self.app.cookie).next();
        let arrival = Arrival {
            answer: &answer,
            challenge: challenge.unwrap_or_default(),
            session,
        };
        let (entered, path) = self.sign_in.arrive(&arrival).await?;
        let mut response = pages::welcome(&self.app.version, &path);
        let entered = self.cookie(&self.app.cookie, &entered.cookie, None);
        let spent = self.login_cookie(answer.get("state"), "", SignedDuration::ZERO);
        for cookie in [entered, spent] {
            let cookie = HeaderValue::try_from(cookie).map_err(|_| unsendable())?;
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn leave(&self, cookie: &str) -> Response {
        self.sign_in.people.leave(cookie);
        let issuer = self.sign_in.sign_out_address().await;
        let mut response = pages::signed_out(&self.app.version, issuer.as_deref());
        let gone = self.cookie(&self.app.cookie, "", Some(SignedDuration::ZERO));
        let cleared = HeaderValue::from_static("\"cache\", \"storage\"");
        response.headers_mut().insert("clear-site-data", cleared);
        if let Ok(gone) = HeaderValue::try_from(gone) {
            response.headers_mut().append(SET_COOKIE, gone);
        }
        response
    }

    /// Several tabs may sign in at the same time, so the cookie of a sign-in is named by its state.
    fn login_name(&self, state: &str) -> String {
        let suffix = cookie_suffix(state).unwrap_or_default();
        format!("{}-{suffix}", self.app.cookie)
    }

    fn login_cookie(&self, state: &str, value: &str, lasts: SignedDuration) -> String {
        self.cookie(&self.login_name(state), value, Some(lasts))
    }

    /// `Lax`, because the issuer is another site and leads back here; every request of another site is judged by its head.
    fn cookie(&self, name: &str, value: &str, lasts: Option<SignedDuration>) -> String {
        let secure = if self.sign_in.is_https() {
            "; Secure"
        } else {
            ""
        };
        let lasts = lasts.map_or_else(String::new, |lasts| {
            format!("; Max-Age={}", lasts.as_secs())
        });
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{lasts}")
    }
}

/// Makes htmx leave the page.
fn navigate(header: &'static str, value: &'static str) -> Response {
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    response
        .headers_mut()
        .insert(header, HeaderValue::from_static(value));
    response
}

fn unsendable() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The address of the issuer cannot be sent to a browser.",
        "Correct the public URL of the operator.",
    )
}
