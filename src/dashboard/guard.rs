//! What a request must prove before a handler runs, and what every response carries.
//!
//! The dashboard acts with the rights of a kubeconfig, and every page that a browser has open can send requests to
//! loopback. So a request needs the exact `Host` (DNS rebinding), `Sec-Fetch-Site: same-origin` or `none`, a session
//! cookie, and a write the `Origin` and a form token besides. `POST /session` comes from a file and has neither of
//! `Sec-Fetch-Site` and `Origin` in this form: it needs the one-time token instead. In the cluster people sign in at the issuer, and what they
//! pass on the way is in `visitors`.

pub mod head;
mod headers;
mod pages;
mod visitors;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::{App, Door, Local};
use crate::form::{Fields, Form};
use crate::person::Caller;
use crate::problem::Problem;
use crate::session::{NoRandom, same};
use head::{Entry, Head};

/// The largest body of a form.
const LARGEST_FORM: usize = 1024 * 1024;
/// A form takes no longer to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The middleware around every route.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let asset = request.uri().path().starts_with("/assets/");
    let fragment = head::wants_fragment(request.headers());
    let mut response = match admit(&app, request, fragment).await {
        Ok(Admitted::Caller(person, request)) => {
            let response = next.run(*request).await;
            pages::explained(response, &person)
        }
        Ok(Admitted::Asset(request)) => next.run(*request).await,
        Ok(Admitted::Answered(response)) => response,
        Err(problem) => pages::refused(&problem, &app.version, app.here().people),
    };
    headers::add(&mut response, asset);
    response
}

/// A request that may go on, or one that is answered already.
enum Admitted {
    Caller(Caller, Box<Request>),
    Asset(Box<Request>),
    Answered(Response),
}

async fn admit(app: &App, request: Request, fragment: bool) -> Result<Admitted, Problem> {
    let entry = Head::of(&request).judge(app.here())?;
    let local = match (entry, &app.door) {
        (Entry::Asset, _) => return Ok(Admitted::Asset(Box::new(request))),
        (entry, Door::People(sign_in)) => {
            let visitor = visitors::Visitor::new(app, sign_in, fragment);
            return visitor.admit(entry, request).await;
        }
        (Entry::Session, Door::Token(local)) => {
            return open_session(app, local, request)
                .await
                .map(Admitted::Answered);
        }
        (_, Door::Token(local)) => local,
    };
    let find = |cookie| local.sessions.find(cookie);
    let session = head::cookies(request.headers(), &app.cookie).find_map(find);
    let Some(session) = session else {
        if fragment {
            // The page that asks for a fragment is reloaded, and shows the form for the token.
            let mut reload = StatusCode::UNAUTHORIZED.into_response();
            let yes = HeaderValue::from_static("true");
            reload.headers_mut().insert("hx-refresh", yes);
            return Ok(Admitted::Answered(reload));
        }
        return Ok(Admitted::Answered(pages::sign_in(
            StatusCode::UNAUTHORIZED,
            None,
            &app.version,
        )));
    };
    let person = app.owner(local, &session, fragment);
    with_form(person, request).await
}

/// The request of a person with the form that it carries, if that has the token of their session.
async fn with_form(person: Caller, request: Request) -> Result<Admitted, Problem> {
    let (mut parts, body) = request.into_parts();
    let body = if parts.method == Method::POST {
        let fields = read(body, PATIENCE).await?;
        if !same(fields.get("form_token"), &person.form_token) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "The form does not carry the token of this session; nothing was changed.",
                "Go back, load the page again, and send the form again.",
            ));
        }
        parts.extensions.insert(Form(fields));
        Body::empty()
    } else {
        body
    };
    parts.extensions.insert(person.clone());
    Ok(Admitted::Caller(
        person,
        Box::new(Request::from_parts(parts, body)),
    ))
}

async fn read(body: Body, patience: Duration) -> Result<Fields, Problem> {
    let read = tokio::time::timeout(patience, to_bytes(body, LARGEST_FORM)).await;
    let read = read.map_err(|_| {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "The form did not arrive in time.",
            "Send it again.",
        )
    })?;
    let bytes = read.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The form is larger than 1 MiB.",
            "Use kubectl for an object of this size.",
        )
    })?;
    Ok(Fields::parse(&bytes))
}

/// `POST /session`: the one-time token becomes a cookie. The answer is a page that navigates itself: the cookie is
/// `SameSite=Strict`, and a redirect would still count as a navigation from the site where the form was.
async fn open_session(app: &App, local: &Local, request: Request) -> Result<Response, Problem> {
    let fields = read(request.into_body(), PATIENCE).await?;
    let redeemed = local
        .sessions
        .redeem(fields.get("token").trim(), Instant::now());
    let session = redeemed.map_err(|NoRandom| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "This machine has no random bytes.",
            "Start the dashboard again.",
        )
    })?;
    let Some(session) = session else {
        let wrong = "This token is not valid: it can be used once, within 60 seconds. Enter the token that the terminal shows now.";
        return Ok(pages::sign_in(
            StatusCode::UNAUTHORIZED,
            Some(wrong),
            &app.version,
        ));
    };
    let mut response = pages::welcome(&app.version, "/clients");
    // What an earlier program left in the browser at this address, such as a service worker.
    response.headers_mut().insert(
        "clear-site-data",
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict",
        app.cookie, session.cookie
    );
    let Ok(cookie) = HeaderValue::try_from(cookie) else {
        return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
    };
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test]
    async fn a_form_has_a_size_and_a_time() {
        let status = async |body: Body| {
            let read = read(body, Duration::from_millis(10)).await;
            read.err().map(|problem| problem.status.as_u16())
        };
        assert_eq!(status(Body::from("a=b")).await, None);
        let large = vec![b'a'; LARGEST_FORM + 1];
        assert_eq!(status(Body::from(large)).await, Some(413));
        let never = futures::stream::pending::<Result<&'static str, Infallible>>();
        assert_eq!(status(Body::from_stream(never)).await, Some(408));
    }
}
