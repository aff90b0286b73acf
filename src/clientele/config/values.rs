//! The values of flags: what is accepted, and what is not printed.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use clientele_api::DurationString;
use clientele_api::allowed_keys::check_entry;

/// Where the audit log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditLog {
    /// Standard output.
    Output,
    /// A file, at whose end lines are added.
    File(PathBuf),
}

impl FromStr for AuditLog {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "-" => Self::Output,
            path => Self::File(path.into()),
        })
    }
}

/// The URL of a database. It may hold a password, so it is not printed.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL, to connect with.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl([redacted])")
    }
}

/// An entry of a list of keys. An empty one stands for an empty list.
pub(super) fn allowed_key(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        check_entry(text).map_err(str::to_owned)?;
    }
    Ok(text.to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    DurationString(text.to_owned())
        .parse()
        .ok_or_else(|| "must be a duration of more than 0 in h, m and s, such as 15m".to_owned())
}

/// A word that is no level would be taken for the only target to be logged: one that is misspelled silences everything.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    let is_level = |part: &str| part.parse::<LevelFilter>().is_ok();
    let mut parts = text.split(',');
    let bare = parts.find(|part| !part.contains(['=', '[']) && !is_level(part));
    let unreadable = EnvFilter::try_new(text)
        .err()
        .map(|error| error.to_string());
    match bare
        .map(|part| format!("{part:?} is not a level"))
        .or(unreadable)
    {
        Some(problem) => Err(format!(
            "{problem}; write error, warn, info, debug or trace, or a filter such as info,clientele=debug"
        )),
        None => Ok(text.to_owned()),
    }
}

/// The most bytes of a public URL.
const LONGEST_URL: usize = 512;

/// An issuer identifier (RFC 8414 §2): https without query and fragment; http only on loopback. The chart has the same
/// rule in `values.schema.json` and `clientele.checkUrl`.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| format!("must be a URL: {error}"))?;
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && loopback) {
        return Err("must be https://…; http only on loopback".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("must have neither query, fragment nor user information".to_owned());
    }
    let trimmed = text.trim_end_matches('/');
    is_plain(&url, trimmed)?;
    // Issuers are compared byte for byte: one spelling only.
    if url.as_str().trim_end_matches('/') != trimmed {
        return Err(format!(
            "must be written in its normal form, {}",
            url.as_str().trim_end_matches('/')
        ));
    }
    Ok(trimmed.to_owned())
}

/// The URL of the dashboard: an origin, because its pages, cookies and redirect URI lie at the root.
pub(super) fn dashboard_url(text: &str) -> Result<String, String> {
    let url = public_url(text)?;
    let parsed = url::Url::parse(&url).map_err(|error| format!("must be a URL: {error}"))?;
    if parsed.path() != "/" {
        return Err(format!(
            "must have no path: give the dashboard a host name of its own, such as {}",
            parsed.origin().ascii_serialization()
        ));
    }
    Ok(url)
}

/// The URL to which traces are sent. The path of the signal is appended unless it is there.
pub(super) fn otlp_endpoint(text: &str) -> Result<String, String> {
    const PATH: &str = "/v1/traces";
    let url = url::Url::parse(text).map_err(|error| format!("must be a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("must be http://… or https://…, such as http://otel-collector:4318".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must have no user information: give credentials by OTEL_EXPORTER_OTLP_HEADERS"
                .to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must have neither query nor fragment".to_owned());
    }
    let base = url.as_str().trim_end_matches('/');
    Ok(format!("{}{PATH}", base.trim_end_matches(PATH)))
}

/// A share of a whole.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "must be a number from 0 to 1, such as 0.1".to_owned())
}

/// What every proxy, browser and library reads in the same way.
fn is_plain(url: &url::Url, text: &str) -> Result<(), String> {
    let is_label = |label: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty()
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let host = match url.host() {
        Some(url::Host::Domain(name)) => name.split('.').all(is_label),
        Some(url::Host::Ipv4(_)) => true,
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !host {
        return Err(
            "must have a host name of letters, digits, '-' and '.', an IPv4 address, or [::1]"
                .to_owned(),
        );
    }
    if url.port() == Some(0) {
        return Err("must have a port from 1 to 65535, or none".to_owned());
    }
    let is_segment = |segment: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b"._~!$&'()*+,;=:@%-".contains(&b);
        !segment.is_empty() && segment.bytes().all(inside)
    };
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    let mut path = after_scheme.split('/').skip(1);
    if !path.all(is_segment) {
        return Err("must have a path of segments that are not empty, such as /auth".to_owned());
    }
    if text.len() > LONGEST_URL {
        return Err(format!("must be at most {LONGEST_URL} bytes long"));
    }
    Ok(())
}
