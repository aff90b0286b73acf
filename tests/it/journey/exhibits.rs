//! What the gallery shows.

use axum::http::StatusCode;
use axum::response::Response;
use clientele_http::pages::{
    Account, ConsentAsked, ErrorView, Granted, Leave, NotAllowed, PageChrome, SignIn,
    SignInProblem, SignOutAsked, SignedOut, Way, account, consent, error, form_post, leave,
    not_allowed, sign_in, sign_out, signed_out,
};

type Show = fn() -> Response;

/// Pages by the name of their picture.
pub const EXHIBITS: [(&str, Show); 28] = [
    ("sign-in", || sign_in(&ACME, &SIGN_IN)),
    ("sign-in-wrong", || sign_in(&ACME, &WRONG)),
    ("sign-in-wait", || sign_in(&ACME, &WAIT)),
    ("sign-in-account", || sign_in(&ACME, &TO_ACCOUNT)),
    ("sign-in-logo", || sign_in(&LOGO, &SIGN_IN)),
    ("sign-in-yellow", || sign_in(&colored("#ffd400"), &SIGN_IN)),
    ("sign-in-black", || sign_in(&colored("#000000"), &SIGN_IN)),
    ("sign-in-white", || sign_in(&colored("#ffffff"), &SIGN_IN)),
    ("sign-in-long", || sign_in(&long_frame(), &long_sign_in())),
    ("consent", || consent(&ACME, &asked(&sentences()))),
    ("consent-logo", || consent(&LOGO, &asked(&sentences()))),
    ("consent-long", || long_consent()),
    ("proceed", || consent(&ACME, &asked(&[]))),
    ("error", || error(&ACME, StatusCode::BAD_REQUEST, &EXPIRED)),
    ("error-unknown", || {
        error(&ACME, StatusCode::BAD_REQUEST, &UNKNOWN)
    }),
    ("sign-out", || sign_out(&ACME, &SIGN_OUT)),
    ("sign-out-direct", || {
        sign_out(
            &LOGO,
            &SignOutAsked {
                client: None,
                ..SIGN_OUT
            },
        )
    }),
    ("not-allowed", || not_allowed(&ACME, &NOT_ALLOWED)),
    ("leave", || leave(&ACME, &LEAVE)),
    ("sign-in-stay", || sign_in(&ACME, &STAY)),
    ("signed-out", || signed_out(&ACME, SignedOut::Done)),
    ("signed-out-stayed", || signed_out(&ACME, SignedOut::Stayed)),
    ("signed-out-no-session", || {
        signed_out(&ACME, SignedOut::NobodyThere)
    }),
    ("account", || {
        show_account(&ACME, Some("Wiki has no access any more."))
    }),
    ("account-logo", || show_account(&LOGO, None)),
    ("account-empty", || account(&ACME, &EMPTY)),
    ("account-long", || long_account()),
    ("form-post", || {
        form_post(
            &ACME,
            "https://orders.acme.example/callback",
            &[("code", "c"), ("state", "s")],
        )
    }),
];

const ACME: PageChrome<'_> = PageChrome {
    base: "",
    tenant: "Acme",
    logo: None,
    color: None,
};
/// A wordmark, as companies have it: a circle with a wave, and a name.
pub const WORDMARK: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0naHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmcnIHdpZHRoPScyMjAnIGhlaWdodD0nNDAnPjxjaXJjbGUgY3g9JzIwJyBjeT0nMjAnIHI9JzE4JyBmaWxsPScjYzI0MTBjJy8+PHBhdGggZD0nTTYgMjRjOC0xNCAyMC0xNCAyOCAwJyBmaWxsPSdub25lJyBzdHJva2U9JyNmZmYnIHN0cm9rZS13aWR0aD0nNCcvPjx0ZXh0IHg9JzUwJyB5PScyOScgZm9udC1mYW1pbHk9J3NhbnMtc2VyaWYnIGZvbnQtc2l6ZT0nMjYnIGZvbnQtd2VpZ2h0PSc3MDAnIGZpbGw9JyNjMjQxMGMnPk5vcmRsaWNodDwvdGV4dD48L3N2Zz4=";
const LOGO: PageChrome<'_> = PageChrome {
    base: "",
    tenant: "Nordlicht Energie",
    logo: Some("1"),
    color: Some("#c2410c"),
};

fn colored(color: &'static str) -> PageChrome<'static> {
    PageChrome {
        color: Some(color),
        ..ACME
    }
}

const SIGN_IN: SignIn<'_> = SignIn {
    client: Some("Orders"),
    returns_to: Some("orders.acme.example"),
    transaction: "transaction",
    username: "",
    can_stay: false,
    by_email: false,
    problem: None,
};
const STAY: SignIn<'_> = SignIn {
    can_stay: true,
    by_email: true,
    ..SIGN_IN
};
const NOT_ALLOWED: NotAllowed<'_> = NotAllowed {
    client: "Orders",
    user: "Ada Lovelace",
    can_switch: true,
    code: "access_denied",
    request_id: "1f0c4e9a7b23",
    transaction: "transaction",
};
const LEAVE: Leave<'_> = Leave {
    client: "Orders",
    host: "orders.acme.example",
    after_sign_out: false,
    way: Way::Link("https://orders.acme.example/callback?error=invalid_scope"),
};
const WRONG: SignIn<'_> = SignIn {
    username: "ada",
    problem: Some(SignInProblem::Wrong),
    ..SIGN_IN
};
const WAIT: SignIn<'_> = SignIn {
    username: "ada",
    problem: Some(SignInProblem::Wait { seconds: 95 }),
    ..SIGN_IN
};
const TO_ACCOUNT: SignIn<'_> = SignIn {
    client: None,
    returns_to: None,
    ..SIGN_IN
};

fn sentences() -> Vec<String> {
    [
        "Know that it is you",
        "See your name and your profile",
        "See your email address",
        "Read and change your orders",
        "Stay connected while you are away",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn asked(scopes: &[String]) -> ConsentAsked<'_> {
    ConsentAsked {
        client: "Orders",
        namespace: "shop",
        returns_to: "orders.acme.example",
        on_device: false,
        user: "Ada Lovelace",
        can_switch: true,
        scopes,
        resources: &[],
        transaction: "transaction",
    }
}

const EXPIRED: ErrorView<'_> = ErrorView {
    code: "expired_request",
    sentence: "This sign-in was started too long ago, or was finished already.",
    remedy: "Go back to the application and sign in from there.",
    rule: "the sealed request is older than a week",
    client: Some("Orders"),
    client_id: Some("team-orders.orders"),
    request_id: "1f0c4e9a7b23",
    home: Some("https://orders.acme.example"),
};
const UNKNOWN: ErrorView<'_> = ErrorView {
    code: "invalid_client",
    sentence: "The application that sent you here is not known to Acme.",
    remedy: "If you came here by a link, it may be old. Ask the operator of the application.",
    rule: "no client has this client_id",
    client: None,
    client_id: None,
    request_id: "1f0c4e9a7b23",
    home: None,
};
const SIGN_OUT: SignOutAsked<'_> = SignOutAsked {
    user: "Ada Lovelace",
    client: Some("Orders"),
    transaction: "transaction",
};
const EMPTY: Account<'_> = Account {
    user: "Ada Lovelace",
    username: "ada",
    grants: &[],
    notice: None,
    transaction: "transaction",
};

fn granted(client: &'static str, namespace: &'static str, scopes: &[String]) -> Granted<'static> {
    Granted {
        client,
        namespace,
        scopes: scopes.to_vec(),
        since: "2026-11-23".to_owned(),
        client_uid: "registration",
    }
}

fn show_account(chrome: &PageChrome<'_>, notice: Option<&str>) -> Response {
    let all = sentences();
    let grants = [
        granted("Orders", "shop", &all),
        granted("Grafana", "monitoring", &all[..3]),
        granted("Photo prints", "partners", &all[..1]),
    ];
    let view = Account {
        grants: &grants,
        notice,
        ..EMPTY
    };
    account(chrome, &view)
}

const LONG: &str =
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft of the north";

fn long_frame() -> PageChrome<'static> {
    PageChrome {
        tenant: LONG,
        ..ACME
    }
}

fn long_sign_in() -> SignIn<'static> {
    SignIn {
        client: Some(LONG),
        returns_to: Some(
            "a-very-long-name-of-a-preview-environment.pull-request-31415.applications.acme.example",
        ),
        username: "ada.lovelace.countess.of.lovelace@mathematics.analytical-engine.acme.example",
        ..SIGN_IN
    }
}

fn long_consent() -> Response {
    let mut scopes = sentences();
    scopes
        .push("orders.read.everything.that.was.ever.ordered.by.anybody.in.this.company".to_owned());
    scopes.push("Read what you have ordered in all the years, what you have paid for it and by which means, and where it was sent".to_owned());
    let view = ConsentAsked {
        client: LONG,
        namespace: "a-namespace-whose-name-is-as-long-as-kubernetes-allows-it-to-be",
        returns_to: "a-very-long-name-of-a-preview-environment.pull-request-31415.applications.acme.example",
        user: LONG,
        resources: &[
            "https://orders.acme.example",
            "https://bills.applications.acme.example/a/long/path/to/an/application/programming/interface",
        ],
        ..asked(&scopes)
    };
    consent(&long_frame(), &view)
}

fn long_account() -> Response {
    let grants = [granted(
        LONG,
        "a-namespace-whose-name-is-as-long-as-kubernetes-allows-it-to-be",
        &sentences(),
    )];
    let view = Account {
        user: LONG,
        username: long_sign_in().username,
        grants: &grants,
        ..EMPTY
    };
    account(&long_frame(), &view)
}
