//! The templates, and what is worked out before they are filled.

use askama::Template;

use super::color::Color;
use super::sentence::Said;
use super::texts::Texts;
use super::views::{
    Account, ConsentAsked, ErrorView, NotAllowed, PageChrome, SignIn, SignOutAsked, Way,
};

/// What stands around every page.
pub(super) struct Shell<'a> {
    pub lang: &'static str,
    pub title: &'static str,
    pub base: &'a str,
    pub tenant: &'a str,
    pub logo: Option<&'a str>,
    pub initial: String,
    /// Style rules of digits alone; see [`Color::rules`].
    pub style: Option<String>,
    pub style_version: u32,
    /// The colour without its `#`, for the icon in the browser's tab.
    pub icon: String,
}

impl<'a> Shell<'a> {
    pub fn new(chrome: &PageChrome<'a>, lang: &'static str, title: &'static str) -> Self {
        let color = chrome.color.and_then(Color::parse);
        let icon = color.map_or_else(|| ICON.to_owned(), |color| color.to_string());
        Self {
            lang,
            title,
            base: chrome.base,
            tenant: chrome.tenant,
            logo: chrome.logo,
            initial: initial(chrome.tenant),
            style: color.map(Color::rules),
            style_version: super::STYLE_VERSION,
            icon: icon.trim_start_matches('#').to_owned(),
        }
    }
}

/// `--main` of the stylesheet.
pub(super) const ICON: &str = "#0b6864";

/// The letter that stands for a name that has no picture.
pub(super) fn initial(name: &str) -> String {
    let first = name.chars().find(|character| character.is_alphanumeric());
    first.map_or_else(String::new, |character| character.to_uppercase().collect())
}

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage<'a> {
    pub shell: Shell<'a>,
    pub view: &'a SignIn<'a>,
    pub texts: &'a Texts,
    pub heading: Said<'a>,
    pub lead: Said<'a>,
    pub afterwards: Option<Said<'a>>,
    pub problem: Option<String>,
    /// What is asked for beside the password.
    pub label: &'static str,
    pub wrong: bool,
}

#[derive(Template)]
#[template(path = "consent.html")]
pub(super) struct ConsentPage<'a> {
    pub shell: Shell<'a>,
    pub view: &'a ConsentAsked<'a>,
    pub texts: &'a Texts,
    pub heading: Said<'a>,
    pub signed_in_as: Said<'a>,
    pub may: Said<'a>,
    /// Set when the application runs on the person's own computer.
    pub on_device: Option<Said<'a>>,
    /// Set when a click is all that is missing.
    pub why: Option<Said<'a>>,
    pub allow: &'static str,
    pub deny: &'static str,
}

#[derive(Template)]
#[template(path = "error.html")]
pub(super) struct ErrorTemplate<'a> {
    pub shell: Shell<'a>,
    pub view: &'a ErrorView<'a>,
    pub texts: &'a Texts,
    pub sentence: Said<'a>,
    /// The application's address, and what the link to it says.
    pub home: Option<(&'a str, Said<'a>)>,
}

#[derive(Template)]
#[template(path = "sign_out.html")]
pub(super) struct SignOutPage<'a> {
    pub shell: Shell<'a>,
    pub view: &'a SignOutAsked<'a>,
    pub texts: &'a Texts,
    pub heading: Said<'a>,
    pub asked_by: Option<Said<'a>>,
    pub effect: Said<'a>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
pub(super) struct SignedOutPage<'a> {
    pub shell: Shell<'a>,
    pub heading: &'static str,
    pub text: &'static str,
    pub onward: &'static str,
}

#[derive(Template)]
#[template(path = "not_allowed.html")]
pub(super) struct NotAllowedPage<'a> {
    pub shell: Shell<'a>,
    pub view: &'a NotAllowed<'a>,
    pub texts: &'a Texts,
    pub heading: Said<'a>,
    pub signed_in_as: Said<'a>,
    pub why: Said<'a>,
    pub back: Said<'a>,
}

#[derive(Template)]
#[template(path = "leave.html")]
pub(super) struct LeavePage<'a> {
    pub shell: Shell<'a>,
    pub heading: Said<'a>,
    pub why: Said<'a>,
    pub remedy: Said<'a>,
    pub submit: Said<'a>,
    pub way: Way<'a>,
}

#[derive(Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage<'a> {
    pub shell: Shell<'a>,
    pub view: &'a Account<'a>,
    pub texts: &'a Texts,
    pub signed_in_as: Said<'a>,
    pub grants: Vec<GrantedRow<'a>>,
}

/// A grant on the account page.
pub(super) struct GrantedRow<'a> {
    pub grant: &'a super::Granted<'a>,
    pub initial: String,
    pub namespace: Said<'a>,
    pub since: Said<'a>,
    pub withdraw_from: Said<'a>,
}

#[derive(Template)]
#[template(path = "form_post.html")]
pub(super) struct FormPostPage<'a> {
    pub shell: Shell<'a>,
    pub texts: &'a Texts,
    pub redirect_uri: &'a str,
    pub fields: &'a [(&'a str, &'a str)],
    pub text: Said<'a>,
    pub script: &'static str,
}
