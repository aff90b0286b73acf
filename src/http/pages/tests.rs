//! What every page keeps to, whatever it shows.

use futures::FutureExt;
use http_body_util::BodyExt;
use proptest::prelude::*;

use super::*;

/// A page, read whole.
struct Read {
    status: StatusCode,
    response: Response<()>,
    html: String,
}

impl Read {
    fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let collected = body.collect().now_or_never().unwrap().unwrap();
        Self {
            status: parts.status,
            html: String::from_utf8(collected.to_bytes().to_vec()).unwrap(),
            response: Response::from_parts(parts, ()),
        }
    }

    fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    fn policy(&self, directive: &str) -> Option<&str> {
        self.header("content-security-policy")
            .split("; ")
            .find_map(|part| part.strip_prefix(directive)?.strip_prefix(' '))
    }

    /// The markup without what people read, names and values included: `<p><a href>`.
    fn skeleton(&self) -> String {
        let mut skeleton = String::new();
        for tag in self.html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            let mut quoted = false;
            skeleton.push('<');
            for part in tag.split('"') {
                if !quoted {
                    skeleton.push_str(part);
                }
                quoted = !quoted;
            }
            assert!(quoted, "a quote is open in <{tag}>");
            skeleton.push('>');
        }
        skeleton
    }
}

/// Everything that comes from outside, in one text.
struct Shown<'a> {
    text: &'a str,
    color: Option<&'a str>,
}

const PLAIN: Shown<'static> = Shown {
    text: "x",
    color: None,
};

fn chrome<'a>(shown: &Shown<'a>) -> PageChrome<'a> {
    PageChrome {
        base: "/t/x",
        tenant: shown.text,
        logo: None,
        color: shown.color,
    }
}

fn sign_in_of(shown: &Shown<'_>, problem: Option<SignInProblem>) -> Response {
    let view = SignIn {
        client: Some(shown.text),
        returns_to: Some(shown.text),
        transaction: shown.text,
        username: shown.text,
        can_stay: true,
        by_email: false,
        problem,
    };
    sign_in(&chrome(shown), &view)
}

fn consent_of(shown: &Shown<'_>, scopes: &[String]) -> Response {
    let view = ConsentAsked {
        client: shown.text,
        namespace: shown.text,
        returns_to: shown.text,
        on_device: true,
        user: shown.text,
        can_switch: true,
        scopes,
        resources: if scopes.is_empty() {
            &[]
        } else {
            &[shown.text]
        },
        transaction: shown.text,
    };
    consent(&chrome(shown), &view)
}

fn error_page_of(shown: &Shown<'_>) -> Response {
    let home = format!("https://{}", shown.text);
    let view = ErrorView {
        code: shown.text,
        sentence: "{client} is wrong.",
        remedy: shown.text,
        rule: "x is wrong",
        client: Some(shown.text),
        client_id: Some(shown.text),
        request_id: shown.text,
        home: Some(&home),
    };
    error(&chrome(shown), StatusCode::BAD_REQUEST, &view)
}

fn sign_out_of(shown: &Shown<'_>) -> Response {
    let view = SignOutAsked {
        user: shown.text,
        client: Some(shown.text),
        transaction: shown.text,
    };
    sign_out(&chrome(shown), &view)
}

fn account_of(shown: &Shown<'_>) -> Response {
    let grant = Granted {
        client: shown.text,
        namespace: shown.text,
        scopes: vec![shown.text.to_owned()],
        since: shown.text.to_owned(),
        client_uid: shown.text,
    };
    let view = Account {
        user: shown.text,
        username: shown.text,
        grants: &[grant],
        notice: Some(shown.text),
        transaction: shown.text,
    };
    account(&chrome(shown), &view)
}

fn not_allowed_of(shown: &Shown<'_>) -> Response {
    let view = NotAllowed {
        client: shown.text,
        user: shown.text,
        can_switch: true,
        code: shown.text,
        request_id: shown.text,
        transaction: shown.text,
    };
    not_allowed(&chrome(shown), &view)
}

fn leave_of(shown: &Shown<'_>, way: Way<'_>) -> Response {
    let view = Leave {
        client: shown.text,
        host: shown.text,
        after_sign_out: true,
        way,
    };
    leave(&chrome(shown), &view)
}

fn form_post_of(shown: &Shown<'_>) -> Response {
    let fields = [(shown.text, shown.text), ("state", shown.text)];
    form_post(&chrome(shown), shown.text, &fields)
}

/// Every page, with where its forms lead.
fn every_page(shown: &Shown<'_>) -> Vec<(Forms, Read)> {
    let scopes = [shown.text.to_owned()];
    let pages = [
        (Forms::Onward, sign_in_of(shown, None)),
        (Forms::Onward, sign_in_of(shown, Some(SignInProblem::Wrong))),
        (Forms::Onward, consent_of(shown, &scopes)),
        (Forms::Onward, consent_of(shown, &[])),
        (Forms::None, error_page_of(shown)),
        (Forms::Onward, sign_out_of(shown)),
        (Forms::Onward, not_allowed_of(shown)),
        (Forms::None, leave_of(shown, Way::Link(shown.text))),
        (
            Forms::Away,
            leave_of(shown, Way::Form(shown.text, &[(shown.text, shown.text)])),
        ),
        (Forms::None, signed_out(&chrome(shown), SignedOut::Done)),
        (Forms::None, signed_out(&chrome(shown), SignedOut::Stayed)),
        (
            Forms::None,
            signed_out(&chrome(shown), SignedOut::NobodyThere),
        ),
        (
            Forms::Onward,
            once_more(&chrome(shown), "/logout", &[(shown.text, shown.text)]),
        ),
        (Forms::Here, account_of(shown)),
        (Forms::Away, form_post_of(shown)),
    ];
    pages.map(|(forms, page)| (forms, Read::of(page))).into()
}

#[test]
fn a_page_has_a_language_a_title_landmarks_and_one_heading() {
    for (_, page) in every_page(&PLAIN) {
        let count = |text: &str| page.html.matches(text).count();
        assert!(page.html.starts_with("<!doctype html>\n<html lang=\"en\">"));
        assert_eq!(count(" – x</title>"), 1, "{}", page.html);
        for one in ["<title>", "<h1>", "<main>", "<header>", "name=\"viewport\""] {
            assert_eq!(count(one), 1, "{one} in {}", page.html);
        }
        assert_eq!(count("<label for="), count("<input id="));
    }
}

#[test]
fn c13_and_c15_no_page_is_framed_cached_or_tells_others_its_address() {
    for (forms, page) in every_page(&PLAIN) {
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.policy("default-src"), Some("'none'"));
        assert_eq!(page.policy("frame-ancestors"), Some("'none'"));
        assert_eq!(page.policy("base-uri"), Some("'none'"));
        let referrer = match forms {
            Forms::None => "no-referrer",
            Forms::Here | Forms::Onward => "same-origin",
            Forms::Away => "strict-origin",
        };
        assert_eq!(page.header("referrer-policy"), referrer);
        // Nothing is fetched from elsewhere.
        let sources: Vec<&str> = page.html.split(" src=\"").skip(1).collect();
        assert!(sources.iter().all(|source| source.starts_with('/')));
        assert_eq!(page.html.matches("<link").count(), 2, "icon and stylesheet");
    }
}

#[test]
fn the_policy_stops_forms_only_where_no_redirect_to_a_client_can_follow() {
    for (forms, page) in every_page(&PLAIN) {
        let expected = match forms {
            Forms::None => Some("'none'"),
            Forms::Here => Some("'self'"),
            Forms::Onward | Forms::Away => None,
        };
        assert_eq!(page.policy("form-action"), expected);
        assert_eq!(page.html.contains("<form"), forms != Forms::None);
    }
}

#[test]
fn only_pages_that_post_by_themselves_have_a_script() {
    let mut scripts = 0;
    for (forms, page) in every_page(&PLAIN) {
        let script = page.html.split_once("<script>").map(|(_, rest)| {
            let (script, _) = rest.split_once("</script>").unwrap();
            headers::source(script)
        });
        assert_eq!(page.policy("script-src").map(str::to_owned), script);
        assert!(script.is_none() || matches!(forms, Forms::Away | Forms::Onward));
        scripts += usize::from(script.is_some());
    }
    // The page that posts to a client, and the one that sends a form of another site once more.
    assert_eq!(scripts, 2);
    // The hash of OpenSSL: openssl dgst -sha256 -binary templates/form_post.js | base64
    assert_eq!(
        headers::source(SEND),
        "'sha256-ox4bri+xTrW3kuLTyRoak73QX8KZGuyP3JlQYusbSlA='"
    );
}

#[test]
fn a_colour_goes_into_a_style_that_the_policy_knows_by_its_hash() {
    let colored = Shown {
        color: Some("#FFD400"),
        ..PLAIN
    };
    for (_, page) in every_page(&colored) {
        let (_, rest) = page.html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        assert!(style.contains("--main:#ffd400;--on-main:#000000"));
        let allowed = format!("'self' {}", headers::source(style));
        assert_eq!(page.policy("style-src"), Some(&*allowed));
        assert!(!page.html.contains(" style="));
    }
    for bad in ["red", "#fff", "#ffd400;}", "</style>"] {
        let page = Read::of(sign_in_of(
            &Shown {
                color: Some(bad),
                ..PLAIN
            },
            None,
        ));
        assert_eq!(page.policy("style-src"), Some("'self'"));
        assert!(!page.html.contains("<style>"));
    }
}

#[test]
fn q02_a_page_names_the_picture_and_does_not_hold_it() {
    let with = |logo| {
        let chrome = PageChrome {
            logo,
            ..chrome(&PLAIN)
        };
        Read::of(signed_out(&chrome, SignedOut::Done)).html
    };
    let named = "<img class=\"logo\" src=\"/t/x/logo?v=abc_-9\" alt=\"x\">";
    assert!(with(Some("abc_-9")).contains(named));
    assert!(!with(None).contains("<img"));
}

#[test]
fn a_picture_runs_nothing_and_is_cached_by_its_version() {
    let picture = Logo::of_data_url("data:image/svg+xml;base64,AAAA").unwrap();
    let current = format!("v={}", picture.version);
    for (query, cached) in [
        (Some(&*current), "public, max-age=31536000, immutable"),
        (Some("v=another"), "no-store"),
        (None, "no-store"),
    ] {
        let answer = Read::of(logo(&picture, query));
        assert_eq!(answer.header("content-type"), "image/svg+xml");
        assert_eq!(answer.header("cache-control"), cached);
        assert_eq!(answer.policy("default-src"), Some("'none'"));
        assert!(
            answer
                .header("content-security-policy")
                .ends_with("; sandbox")
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn status_codes_say_what_the_page_says() {
    let status = |problem| Read::of(sign_in_of(&PLAIN, problem)).status.as_u16();
    assert_eq!(status(None), 200);
    assert_eq!(status(Some(SignInProblem::Wrong)), 401);
    assert_eq!(status(Some(SignInProblem::Wait { seconds: 5 })), 429);
    let error = Read::of(error_page_of(&PLAIN));
    assert_eq!(error.status, 400);
    assert_eq!(error.header("x-clientele-error"), "x");
}

#[test]
fn password_managers_find_their_fields_and_what_is_wrong_is_tied_to_them() {
    let page = Read::of(sign_in_of(&PLAIN, Some(SignInProblem::Wrong))).html;
    for part in [
        "autocomplete=\"username\"",
        "type=\"password\" autocomplete=\"current-password\"",
        "role=\"alert\" id=\"problem\"",
    ] {
        assert_eq!(page.matches(part).count(), 1, "{part}");
    }
    assert_eq!(page.matches("aria-describedby=\"problem\"").count(), 2);
    assert!(!page.contains("autocomplete=\"off\""));
}

#[test]
fn nothing_but_a_web_address_becomes_a_link_out_of_an_error() {
    let link = |home| {
        let view = ErrorView {
            code: "x",
            sentence: "x",
            remedy: "x",
            rule: "x",
            client: None,
            client_id: None,
            request_id: "x",
            home: Some(home),
        };
        let page = error(&chrome(&PLAIN), StatusCode::BAD_REQUEST, &view);
        Read::of(page).html.contains("rel=\"noreferrer\"")
    };
    assert!(link("https://app.example"));
    assert!(link("http://127.0.0.1:8000"));
    assert!(!link("javascript:alert(1)"));
    assert!(!link("com.example.app:/"));
}

#[test]
fn the_stylesheet_is_small_and_loads_nothing() {
    let style = Read::of(stylesheet());
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(style.html.len() < 8192, "{} bytes", style.html.len());
    assert!(!style.html.contains("url(") && !style.html.contains("@import"));
    assert!(
        style
            .html
            .contains(&format!("--main: {};", templates::ICON))
    );
}

#[test]
fn every_name_in_a_text_is_filled_in() {
    for (_, page) in every_page(&PLAIN) {
        assert!(!page.html.contains(['{', '}']), "{}", page.html);
    }
}

proptest! {
    /// A27, B28, K17: markup is ours alone. What comes from outside changes texts and quoted values, no tag.
    #[test]
    fn k17_no_name_and_no_value_becomes_markup(
        text in "[a-z<>&\"'=/ -]{1,40}|\"><script>[a-z]{0,9}|'><img onerror=x>|</title></style></script>|<!--|\\PC{1,20}"
    ) {
        let shown = Shown { text: &text, color: Some(&text) };
        for ((_, hostile), (_, plain)) in every_page(&shown).iter().zip(every_page(&PLAIN)) {
            prop_assert_eq!(hostile.skeleton(), plain.skeleton());
        }
    }
}
