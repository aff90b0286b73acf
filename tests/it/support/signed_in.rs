//! A person who has signed in to an application, at a server that runs.

use serde_json::Value;

use super::ask::{Ask, VERIFIER, ask};
use super::browser::{Browser, Page};
use super::load::Entries;
use super::running_server::browser_at;
use super::test_namespace::http;

/// A browser with a session, and the tokens of the application.
pub struct SignedIn {
    pub browser: Browser<'static>,
    pub access_token: String,
    pub refresh_token: String,
    application: Entries,
}

impl SignedIn {
    /// Signs in with the password of everybody and allows what the application asks for.
    pub async fn new(application: &Entries, username: &str) -> Self {
        let mut browser = browser_at(&application["ISSUER"]);
        let told = browser.allow(&request(application).url(), username).await;
        let (code, tokens) = redeem(application, &told["code"]).await;
        assert_eq!(code, 200, "{tokens}");
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Self {
            browser,
            access_token: token("access_token"),
            refresh_token: token("refresh_token"),
            application: application.clone(),
        }
    }

    /// Opens the application once more.
    pub async fn again(&mut self) -> Page {
        let url = request(&self.application).url();
        self.browser.open(&url).await
    }

    /// The answer to a refresh; what it brings is kept.
    pub async fn refresh(&mut self) -> (u16, Value) {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.refresh_token),
        ];
        let (code, answer) = call(&self.application, "token", &form).await;
        if let Some(token) = answer["refresh_token"].as_str() {
            token.clone_into(&mut self.refresh_token);
        }
        if let Some(token) = answer["access_token"].as_str() {
            token.clone_into(&mut self.access_token);
        }
        (code, answer)
    }

    /// The status of the answer of `/userinfo`.
    pub async fn userinfo(&self) -> u16 {
        let url = format!("{}/userinfo", self.application["ISSUER"]);
        let asked = http().get(url).bearer_auth(&self.access_token).send().await;
        asked.unwrap().status().as_u16()
    }
}

/// What an application asks for that wants to stay signed in.
pub fn request(application: &Entries) -> Ask {
    ask(&application["CLIENT_ID"]).with("scope", "openid offline_access")
}

async fn redeem(application: &Entries, code: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", super::people::APP),
        ("code_verifier", VERIFIER),
    ];
    call(application, "token", &form).await
}

/// A call of an application at this endpoint.
pub async fn call(application: &Entries, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = http()
        .post(format!("{}/{path}", application["ISSUER"]))
        .basic_auth(&application["CLIENT_ID"], application.get("CLIENT_SECRET"))
        .form(form)
        .send()
        .await
        .unwrap();
    let code = answer.status().as_u16();
    (code, answer.json().await.unwrap_or_default())
}
