//! One sign-in, from an address of the loopback network.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;
use url::form_urlencoded::Serializer;

use crate::wire::{connect, exchange};

/// How many people sign in beside the attack.
pub const VICTIMS: usize = 50;
/// How many people have a costly hash.
pub const COSTLY: usize = 6;
/// A request without an answer by then has failed.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The name of a victim.
pub fn victim(number: usize) -> String {
    format!("victim-{number}")
}

/// Whether a victim comes with a browser that the person has signed in with before; the others come with a new one.
pub fn has_known_browser(number: usize) -> bool {
    number.is_multiple_of(2)
}

/// Where people sign in.
#[derive(Clone)]
pub struct Place {
    pub port: u16,
    /// The path of an authorization request.
    pub authorize: String,
}

/// The cookies that a browser keeps after it was closed.
pub type Browser = BTreeMap<String, String>;

/// The status of the answer to the form: 303 after a success; 0 if there was none.
pub async fn sign_in(
    place: &Place,
    from: IpAddr,
    browser: &mut Browser,
    (username, password): (&str, &str),
) -> u16 {
    let tried = try_from(place, from, browser, username, password);
    timeout(PATIENCE, tried).await.ok().flatten().unwrap_or(0)
}

async fn try_from(
    place: &Place,
    from: IpAddr,
    browser: &mut Browser,
    username: &str,
    password: &str,
) -> Option<u16> {
    let mut stream = connect(from, place.port).await?;
    let mut cookies = browser.clone();
    let path = &place.authorize;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: id.example\r\nCookie: {}\r\n\r\n",
        sent(&cookies)
    );
    let page = exchange(&mut stream, &request).await?;
    cookies.extend(page.cookies);
    let (_, rest) = page.body.split_once("name=\"transaction\" value=\"")?;
    let transaction = rest.split('"').next()?;
    let form = [
        ("transaction", transaction),
        ("username", username),
        ("password", password),
    ];
    let form = Serializer::new(String::new()).extend_pairs(form).finish();
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: id.example\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: {}\r\nContent-Length: {}\r\n\r\n{form}",
        sent(&cookies),
        form.len()
    );
    let answer = exchange(&mut stream, &request).await?;
    let known = answer.cookies.into_iter();
    browser.extend(known.filter(|(name, _)| name.contains("_known")));
    Some(answer.status)
}

fn sent(cookies: &Browser) -> String {
    let pairs: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}
