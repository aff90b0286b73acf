//! The tab *Credentials*: how the client authenticates, which generations of its secret work, and their rotation.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{age, can_rotate, is_published, text};
use clientele_oauth::client::secret_rotation::Settings;
use serde_json::Value;

use super::form::Field;
use super::frame::{ClientHeader, Right, Tab, read};
use super::lifetimes::words;
use super::spec;
use super::usage::Usage;
use crate::cluster::Kind;
use crate::form::Query;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;

/// How many seconds after a rotation the page speaks of it.
const JUST_NOW: i64 = 600;

#[derive(Template)]
#[template(path = "client_credentials.html")]
struct CredentialsPage {
    chrome: Chrome,
    frame: ClientHeader,
    view: Credentials,
    usage: Usage,
    /// Whether the person may request a rotation.
    rotate: Right,
    /// What was just done, from the query.
    done: &'static str,
}

/// What the page shows of the client.
struct Credentials {
    authentication: Vec<String>,
    format: String,
    generations: Vec<Generation>,
    schedule: Vec<(&'static str, String)>,
    /// Why it has no secret that could rotate; empty if it has one.
    fixed: String,
    /// Whether the tool owns the field that requests a rotation.
    reverted: bool,
    /// Whether every rotation refuses the old secret at once.
    no_overlap: bool,
}

/// Generations of the client secret with the same state.
#[derive(Debug, PartialEq, Eq)]
struct Generation {
    numbers: String,
    state: &'static str,
    class: &'static str,
    facts: String,
}

/// The page.
pub async fn show(
    person: Caller,
    Path(of): Path<(String, String)>,
    Query(query): Query,
) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    let rotate = Right::ask(&person, "patch", Kind::Client, (&of.0, &of.1));
    let (frame, usage, rotate) = futures::join!(
        ClientHeader::new(&person, &client, Tab::Credentials),
        Usage::read(&person, &client),
        rotate,
    );
    let now = jiff::Timestamp::now();
    let done = done((query.get("done"), query.get("request")), &client, now);
    let page = CredentialsPage {
        chrome: Chrome::new(&person, Section::Clients),
        view: credentials(&client, &frame, now),
        frame,
        usage,
        rotate,
        done,
    };
    html(StatusCode::OK, &page)
}

/// What the page says after a rotation: nothing that the client does not bear out, because a link may claim anything.
fn done((what, request): (&str, &str), client: &Value, now: jiff::Timestamp) -> &'static str {
    // The request ID is the time of the request.
    let fresh = request.parse::<jiff::Timestamp>().is_ok_and(|then| {
        let seconds = now.as_second().saturating_sub(then.as_second());
        (0..=JUST_NOW).contains(&seconds)
    });
    if !fresh || text(client, "/spec/rotation/requestId") != request {
        return "";
    }
    let ledger = |field: &str| spec::number(client, &format!("/status/secretGeneration/{field}"));
    let replaced = is_published(client, request) && ledger("oldestAccepted") == ledger("published");
    match what {
        "leaked" | "leaked-kept" if !replaced => "",
        "leaked-kept" if !spec::has_no_overlap(client) => "",
        "leaked-pending" if is_published(client, request) => "",
        "rotate" => {
            "The rotation is requested. The operator writes the new secret into the Secret; the old one works until it is no longer used."
        }
        "leaked" => {
            "The secret is replaced, and the old one is refused from now on. Restart what does not read the Secret again."
        }
        "leaked-kept" => {
            "The secret is replaced, and the old one is refused from now on. spec.rotation.maxOverlap could not be set back and stays at 0s: set it back, or the next rotation refuses the old secret at once as well."
        }
        "leaked-pending" => {
            "The replacement is requested, and the operator has not answered yet. spec.rotation.maxOverlap stays at 0s: set it back once the new secret is published."
        }
        _ => "",
    }
}

fn credentials(client: &Value, frame: &ClientHeader, now: jiff::Timestamp) -> Credentials {
    let requested = !text(client, "/spec/rotation/requestId").is_empty();
    let format = match text(client, "/spec/secret/format") {
        "" => "for envFrom (default)",
        format => format,
    };
    let owner = frame.owner.as_ref();
    Credentials {
        authentication: spec::authentication(client),
        format: format.to_owned(),
        generations: generations(client, now),
        schedule: schedule(client),
        fixed: can_rotate(client)
            .err()
            .map_or_else(String::new, |failure| failure.to_string()),
        reverted: requested && owner.is_some_and(|owner| owner.owns("rotation")),
        no_overlap: spec::has_no_overlap(client),
    }
}

fn generations(client: &Value, now: jiff::Timestamp) -> Vec<Generation> {
    let ledger = |field: &str| spec::number(client, &format!("/status/secretGeneration/{field}"));
    let time = |field: &str| text(client, &format!("/status/secretGeneration/{field}"));
    let ago = |field: &str| match time(field) {
        "" => "unknown".to_owned(),
        time => format!("{} ago", age(time, now)),
    };
    let (Some(requested), Some(published)) = (ledger("requested"), ledger("published")) else {
        return Vec::new();
    };
    let oldest = ledger("oldestAccepted").unwrap_or(published);
    let mut generations = Vec::new();
    if requested > published {
        generations.push(Generation {
            numbers: requested.to_string(),
            state: "requested",
            class: "wait",
            facts: "The operator writes it into the Secret next.".to_owned(),
        });
    }
    generations.push(Generation {
        numbers: published.to_string(),
        state: "current",
        class: "good",
        facts: format!(
            "In the Secret since {} ({}).",
            time("publishedAt"),
            ago("publishedAt")
        ),
    });
    if oldest < published {
        let numbers = if oldest + 1 == published {
            oldest.to_string()
        } else {
            format!("{oldest} to {}", published - 1)
        };
        let used = match time("overlap/lastUsed") {
            "" => "No use is known".to_owned(),
            _ => format!("Last used about {}", ago("overlap/lastUsed")),
        };
        generations.push(Generation {
            numbers,
            state: "old, still accepted",
            class: "wait",
            facts: format!(
                "{used}; refused at the latest from {}.",
                or(time("overlap/retiresAt"), "the end of the overlap")
            ),
        });
    }
    generations
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

fn schedule(client: &Value) -> Vec<(&'static str, String)> {
    let duration = |field: &str, default: &str| {
        let written = text(client, &format!("/spec/rotation/{field}"));
        let parsed = clientele_api::DurationString(written.to_owned()).parse_from_zero();
        parsed.map_or_else(|| default.to_owned(), words)
    };
    let default = |lasts| format!("{} (default)", words(lasts));
    let rows = [
        (
            Field::RotateEvery.label(),
            duration("every", "never by itself"),
        ),
        (
            "Next rotation",
            text(client, "/status/rotation/nextAt").to_owned(),
        ),
        (
            Field::QuietPeriod.label(),
            duration("quietPeriod", &default(Settings::DEFAULT.quiet_period)),
        ),
        (
            Field::MaxOverlap.label(),
            duration("maxOverlap", &default(Settings::DEFAULT.max_overlap)),
        ),
        (
            "Last cause",
            text(client, "/status/rotation/lastCause").to_owned(),
        ),
        (
            "Last request",
            text(client, "/status/rotation/lastHandledRequestId").to_owned(),
        ),
    ];
    rows.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(generation: &Value) -> Vec<Generation> {
        let now = "2026-11-30T02:00:00Z".parse().unwrap();
        generations(
            &json!({ "status": { "secretGeneration": generation } }),
            now,
        )
    }

    #[test]
    fn every_generation_that_works_is_shown_with_its_use() {
        let states = |generation: Value| -> Vec<(String, &'static str)> {
            let rows = rows(&generation).into_iter();
            rows.map(|row| (row.numbers, row.state)).collect()
        };
        let own = |number: &str, state: &'static str| (number.to_owned(), state);
        assert_eq!(
            states(json!({ "requested": 1, "published": 1, "oldestAccepted": 1 })),
            [own("1", "current")]
        );
        assert_eq!(
            states(json!({ "requested": 5, "published": 4, "oldestAccepted": 2 })),
            [
                own("5", "requested"),
                own("4", "current"),
                own("2 to 3", "old, still accepted")
            ]
        );
        assert_eq!(states(json!({})), []);
        let used = rows(&json!({
            "requested": 2, "published": 2, "oldestAccepted": 1, "publishedAt": "2026-11-29T02:00:00Z",
            "overlap": { "lastUsed": "2026-11-30T00:00:00Z", "retiresAt": "2026-12-06T02:00:00Z" },
        }));
        assert!(used[0].facts.contains("24h ago"), "{used:?}");
        assert!(used[1].facts.contains("Last used about 2h ago"), "{used:?}");
        assert!(used[1].facts.contains("2026-12-06"), "{used:?}");
    }

    #[test]
    fn the_schedule_has_its_defaults() {
        let said =
            schedule(&json!({ "spec": { "rotation": { "every": "720h", "maxOverlap": "0s" } } }));
        assert_eq!(
            said,
            [
                ("Rotates every", "30 days".to_owned()),
                ("Old secret unused for", "24 hours (default)".to_owned()),
                ("Old secret at most for", "0 seconds".to_owned()),
            ]
        );
    }

    #[test]
    fn the_page_says_nothing_that_is_not_so() {
        let request = "2026-11-30T02:00:00.123Z";
        let client = |oldest: u64, handled: &str, overlap: &str| {
            json!({
                "spec": { "rotation": { "requestId": request, "maxOverlap": overlap } },
                "status": {
                    "secretGeneration": { "requested": 2, "published": 2, "oldestAccepted": oldest },
                    "rotation": { "lastHandledRequestId": handled },
                },
            })
        };
        let said = |what: &str, request: &str, client: &Value, now: &str| {
            done((what, request), client, now.parse().unwrap())
        };
        let now = "2026-11-30T02:00:05Z";
        let replaced = client(2, request, "24h");
        assert!(said("leaked", request, &replaced, now).contains("refused from now on"));
        assert!(said("rotate", request, &replaced, now).contains("is requested"));
        let kept = client(2, request, "0s");
        assert!(said("leaked-kept", request, &kept, now).contains("could not be set back"));
        let pending = client(1, "", "0s");
        assert!(said("leaked-pending", request, &pending, now).contains("not answered yet"));
        for (what, request, client, now) in [
            ("leaked", "", &replaced, now),
            ("leaked", "2026-11-30T02:00:01.123Z", &replaced, now),
            ("leaked", request, &replaced, "2026-11-30T02:11:00Z"),
            ("leaked", request, &replaced, "2026-11-30T01:00:00Z"),
            ("leaked", request, &pending, now),
            ("leaked", request, &client(1, request, "24h"), now),
            ("leaked-kept", request, &replaced, now),
            ("leaked-pending", request, &replaced, now),
            ("<b>", request, &replaced, now),
        ] {
            assert_eq!(
                said(what, request, client, now),
                "",
                "{what} {request} {now}"
            );
        }
    }
}
