//! One sign-in, from an address of the loopback network.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;

use crate::support::ask::ask;

/// How many people sign in beside the attack.
pub const VICTIMS: usize = 50;
/// How many people have a costly hash.
pub const COSTLY: usize = 6;

/// The status of the answer to the form: 303 after a success; 0 if there was none.
pub async fn sign_in_from(from: IpAddr, port: u16, username: &str, password: &str) -> u16 {
    try_from(from, port, username, password).await.unwrap_or(0)
}

async fn try_from(from: IpAddr, port: u16, username: &str, password: &str) -> Option<u16> {
    let http = reqwest::Client::builder()
        .local_address(from)
        .redirect(Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .ok()?;
    let url = format!("http://127.0.0.1:{port}");
    let page = http
        .get(format!("{url}{}", ask("team-a.app").url()))
        .send()
        .await
        .ok()?;
    let cookie = page.headers().get(SET_COOKIE)?.to_str().ok()?;
    let cookie = cookie.split(';').next()?.to_owned();
    let body = page.text().await.ok()?;
    let (_, rest) = body.split_once("name=\"transaction\" value=\"")?;
    let transaction = rest.split('"').next()?;
    let form = [
        ("transaction", transaction),
        ("username", username),
        ("password", password),
    ];
    let answer = http
        .post(format!("{url}/login"))
        .header(COOKIE, cookie)
        .form(&form)
        .send()
        .await
        .ok()?;
    Some(answer.status().as_u16())
}
