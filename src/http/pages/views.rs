//! What pages show: a value for each of them.

use clientele_oauth::Tenant;
use clientele_oauth::registry::issuer_path;

/// What every page of a tenant has in common.
pub struct PageChrome<'a> {
    /// The path of the issuer: forms post to `{base}/login`, the stylesheet is `{base}/style.css`.
    pub base: &'a str,
    /// The name that people see.
    pub tenant: &'a str,
    /// The version of the picture, which is `{base}/logo`; none if there is no picture.
    pub logo: Option<&'a str>,
    /// `#rrggbb`; anything else is passed over.
    pub color: Option<&'a str>,
}

impl<'a> PageChrome<'a> {
    /// The frame of a tenant's pages.
    pub fn of(tenant: &'a Tenant) -> Self {
        Self {
            base: issuer_path(&tenant.issuer),
            tenant: tenant.display_name(),
            logo: tenant.branding.logo.as_ref().map(|logo| &*logo.version),
            color: tenant.branding.color.as_deref(),
        }
    }
}

/// Why signing in did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// No person of that name, wrong password, disabled: one sentence for all. Status 401.
    Wrong,
    /// Too many tries. Status 429; the caller adds `Retry-After`.
    Wait {
        /// For how long.
        seconds: u64,
    },
}

/// The page to sign in: posts `transaction`, `username`, `password` to `{base}/login`.
pub struct SignIn<'a> {
    /// The application that the person comes from; none when they opened their account page.
    pub client: Option<&'a str>,
    /// Where the person goes afterwards, as in [`ConsentAsked::returns_to`].
    pub returns_to: Option<&'a str>,
    /// Handed back unchanged.
    pub transaction: &'a str,
    /// What was typed before, or `login_hint`.
    pub username: &'a str,
    /// Whether to offer to stay signed in: `stay=1`.
    pub can_stay: bool,
    /// Whether an e-mail address may be typed in place of the username.
    pub by_email: bool,
    /// What went wrong, if something did.
    pub problem: Option<SignInProblem>,
}

/// The page to consent: posts `transaction` and `decision` (`allow`, `deny`, or `switch` to sign in as another person, as
/// with `prompt=login`) to `{base}/consent`.
pub struct ConsentAsked<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Where the person goes afterwards: a host, or the scheme of an application on this device.
    pub returns_to: &'a str,
    /// Whether the application runs on the person's own computer, where any program could answer in its place.
    pub on_device: bool,
    /// Who is signed in.
    pub user: &'a str,
    /// Whether to offer `decision=switch`.
    pub can_switch: bool,
    /// What the application may do, as sentences; empty when a click is all that is missing (RFC 8252 §8.6).
    pub scopes: &'a [String],
    /// The APIs that it may call for the person.
    pub resources: &'a [&'a str],
    /// Handed back unchanged.
    pub transaction: &'a str,
}

/// A page that says what went wrong and where to go.
pub struct ErrorView<'a> {
    /// The error code, also in the header `x-clientele-error`.
    pub code: &'a str,
    /// What happened, in one sentence of ours; `{client}` in it is the application's name.
    pub sentence: &'static str,
    /// What to do about it, in one sentence of ours.
    pub remedy: &'a str,
    /// The rule, for a developer: a constant of ours.
    pub rule: &'static str,
    /// The application's name, if it is known and registered.
    pub client: Option<&'a str>,
    /// Its ID.
    pub client_id: Option<&'a str>,
    /// By which log and audit record the refusal.
    pub request_id: &'a str,
    /// Where the application lies: the origin of a redirect URI that it registered, such as `https://app.example.com`,
    /// never of one that was only asked for. Other than `https:` and `http:` is passed over.
    pub home: Option<&'a str>,
}

/// The page for a person who may not use an application: posts `transaction` and `decision` (`switch` or `deny`, which goes
/// back) to `{base}/consent`.
pub struct NotAllowed<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Who is signed in.
    pub user: &'a str,
    /// Whether to offer `decision=switch`.
    pub can_switch: bool,
    /// The error code, also in the header `x-clientele-error`.
    pub code: &'a str,
    /// By which log and audit record the refusal.
    pub request_id: &'a str,
    /// Handed back unchanged.
    pub transaction: &'a str,
}

/// How a person goes on to an application.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    /// To an address.
    Link(&'a str),
    /// By a form with these fields to an address.
    Form(&'a str, &'a [(&'a str, &'a str)]),
}

/// The page before an address that no administrator has vouched for: a click leads there, and nothing else.
pub struct Leave<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Where it lies, as in [`ConsentAsked::returns_to`].
    pub host: &'a str,
    /// Whether the person is on their way back from signing out, or from a request that was refused.
    pub after_sign_out: bool,
    /// How they go there.
    pub way: Way<'a>,
}

/// How a request to sign out has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// The session is over.
    Done,
    /// The person chose to stay.
    Stayed,
    /// There is no session in this browser.
    NobodyThere,
}

/// The page that asks whether to sign out: posts `transaction` and `decision` (`sign-out` or `stay`) to `{base}/logout`.
pub struct SignOutAsked<'a> {
    /// Who is signed in.
    pub user: &'a str,
    /// The application that asks, if it is known.
    pub client: Option<&'a str>,
    /// Handed back unchanged.
    pub transaction: &'a str,
}

/// Something that was granted, on the account page.
pub struct Granted<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// What it may do, as sentences.
    pub scopes: Vec<String>,
    /// Since when: a date such as `2026-11-23`.
    pub since: String,
    /// Names it in the form: `grant`.
    pub client_uid: &'a str,
}

/// The account page: posts `transaction` and `action` (`withdraw` with `grant`, `sign-out`, `sign-out-everywhere`) to
/// `{base}/account`.
pub struct Account<'a> {
    /// The person's name.
    pub user: &'a str,
    /// What they type to sign in.
    pub username: &'a str,
    /// What was granted to whom.
    pub grants: &'a [Granted<'a>],
    /// What was just done, such as "withdrawn", as a text of ours.
    pub notice: Option<&'a str>,
    /// Handed back unchanged.
    pub transaction: &'a str,
}
