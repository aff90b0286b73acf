//! The decision as a table, and properties of reading.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::interaction::{Decision, SignedIn, Situation, covers, decide};
use super::*;
use crate::client::testing::client;
use crate::grant::session::begin;
use crate::grant::{Consent, Session};
use crate::tenant::SessionLifetimes;
use crate::user::testing::user;
use crate::{Client, GrantType, User};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn third_party() -> Client {
    Client {
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        scopes: [
            "openid",
            "email",
            "profile",
            "offline_access",
            "orders.read",
        ]
        .map(Into::into)
        .into(),
        redirect_uris: [
            "https://app.example/cb".into(),
            "http://127.0.0.1/cb".into(),
        ]
        .into(),
        ..client()
    }
}

fn tenant(client: Client) -> Tenant {
    Tenant {
        clients: [(client.id.clone(), Arc::new(client))].into(),
        ..Tenant::new("t".into(), "uid-of-t".into(), "https://id.example".into())
    }
}

/// A request of the client with more parameters.
fn asked(client: Client, more: &str) -> Asked {
    let redirect = if more.contains("redirect_uri") {
        ""
    } else {
        "&redirect_uri=https://app.example/cb"
    };
    let scope = if more.contains("scope=") {
        ""
    } else {
        "&scope=openid"
    };
    let query = format!(
        "client_id=team-a.web&response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256{redirect}{scope}&{more}"
    );
    read(&tenant(client), &query).unwrap()
}

struct Table {
    client: Client,
    user: User,
    session: Option<Session>,
    for_this: bool,
    consent: Option<Consent>,
    agreed: bool,
}

impl Table {
    /// No person is signed in.
    fn new() -> Self {
        Self {
            client: third_party(),
            user: user(),
            session: None,
            for_this: false,
            consent: None,
            agreed: false,
        }
    }

    /// A person signed in at second 0.
    fn signed_in() -> Self {
        let session = begin("t", &user(), SessionLifetimes::DEFAULT, &[1; 48], at(0)).kept;
        Self {
            session: Some(session),
            ..Self::new()
        }
    }

    fn first_party() -> Self {
        let mut table = Self::signed_in();
        table.client.first_party = true;
        table
    }

    fn with_consent(scope: &str, resources: &str) -> Self {
        let consent = Consent {
            tenant: String::new(),
            subject: String::new(),
            user_uid: String::new(),
            client_uid: String::new(),
            client_id: String::new(),
            scope: scope.to_owned(),
            resources: resources.to_owned(),
            granted_at: at(0),
        };
        Self {
            consent: Some(consent),
            ..Self::signed_in()
        }
    }

    fn for_this(self) -> Self {
        Self {
            for_this: true,
            ..self
        }
    }

    /// What follows at second 100.
    fn decides(&self, more: &str) -> String {
        let asked = asked(self.client.clone(), more);
        let request = asked.request.unwrap();
        let decision = decide(&Situation {
            client: &asked.destination.client,
            redirect_uri: &asked.destination.redirect_uri,
            request: &request,
            signed_in: self.session.as_ref().map(|session| SignedIn {
                user: &self.user,
                session,
                for_this: self.for_this,
            }),
            consent: self.consent.as_ref(),
            agreed: self.agreed,
            now: at(100),
        });
        match decision {
            Decision::Refuse(error) => error.code.as_str().to_owned(),
            other => format!("{other:?}"),
        }
    }
}

#[test]
fn nobody_is_signed_in() {
    for (more, expected) in [
        ("", "SignIn"),
        ("prompt=login", "SignIn"),
        ("prompt=consent", "SignIn"),
        ("prompt=none", "login_required"),
    ] {
        assert_eq!(Table::new().decides(more), expected, "{more}");
    }
}

#[test]
fn b17_b20_when_the_person_proves_again_who_they_are() {
    let (reused, fresh) = (Table::first_party(), Table::first_party().for_this());
    for (more, with_session, after_login) in [
        ("", "Issue", "Issue"),
        ("prompt=login", "SignIn", "Issue"),
        ("prompt=select_account", "SignIn", "Issue"),
        ("prompt=none", "Issue", "Issue"),
        ("max_age=99", "SignIn", "Issue"),
        ("max_age=100", "Issue", "Issue"),
        ("max_age=0", "SignIn", "Issue"),
        ("max_age=4294967295", "Issue", "Issue"),
        ("max_age=99&prompt=none", "login_required", "Issue"),
    ] {
        assert_eq!(reused.decides(more), with_session, "{more}");
        assert_eq!(fresh.decides(more), after_login, "{more}, signed in for it");
    }
}

#[test]
fn b22_the_request_is_about_somebody() {
    let of =
        |subject: &str| format!("claims={{\"id_token\":{{\"sub\":{{\"value\":\"{subject}\"}}}}}}");
    let silent = |subject: &str| of(subject) + "&prompt=none";
    let (reused, fresh) = (Table::first_party(), Table::first_party().for_this());
    let alice = &*user().subject;
    assert_eq!(reused.decides(&of(alice)), "Issue");
    assert_eq!(reused.decides(&of("bob")), "SignIn");
    assert_eq!(reused.decides(&silent("bob")), "login_required");
    assert_eq!(fresh.decides(&of("bob")), "login_required", "no loop");
}

#[test]
fn who_may_use_the_client() {
    let mut table = Table::signed_in();
    for (groups, expected) in [
        (&["staff"][..], "Consent"),
        (&["others", "staff"], "Consent"),
        (&["others"], "NotAllowed"),
        (&[], "NotAllowed"),
    ] {
        table.client.allowed_groups = Some(groups.iter().map(|&group| group.into()).collect());
        assert_eq!(table.decides(""), expected, "{groups:?}");
    }
    table.agreed = true;
    assert_eq!(table.decides(""), "NotAllowed", "agreement is not enough");
    assert_eq!(table.decides("prompt=none"), "access_denied");
}

#[test]
fn c10_c12_b14_b18_who_is_asked_to_consent() {
    let third = Table::signed_in;
    let had = || Table::with_consent("openid email", "https://orders.example");
    let orders = "scope=openid orders.read&resource=https://orders.example";
    for (name, table, more, expected) in [
        ("third party", third(), "", "Consent"),
        (
            "third party, just signed in",
            third().for_this(),
            "",
            "Consent",
        ),
        (
            "third party, silent",
            third(),
            "prompt=none",
            "consent_required",
        ),
        ("first party", Table::first_party(), "", "Issue"),
        (
            "first party asks",
            Table::first_party(),
            "prompt=consent",
            "Consent",
        ),
        ("covered", had(), "scope=openid email", "Issue"),
        ("subset", had(), "scope=openid", "Issue"),
        ("subset, silent", had(), "prompt=none", "Issue"),
        ("covered, asks again", had(), "prompt=consent", "Consent"),
        ("larger", had(), "scope=openid profile", "Consent"),
        (
            "larger, silent",
            had(),
            "scope=openid profile&prompt=none",
            "consent_required",
        ),
        (
            "resource",
            had(),
            "resource=https://orders.example",
            "Issue",
        ),
        (
            "other resource",
            had(),
            "resource=https://bills.example",
            "Consent",
        ),
        ("scope of a resource", had(), orders, "Consent"),
    ] {
        assert_eq!(table.decides(more), expected, "{name}");
    }
    let agreed = Table {
        agreed: true,
        ..third()
    };
    assert_eq!(agreed.decides(""), "Issue");
    assert_eq!(agreed.decides("prompt=consent"), "Issue");
}

#[test]
fn claims_asked_for_by_name_need_consent_to_the_scope_that_promises_them() {
    let claims = r#"claims={"userinfo":{"email":null}}"#;
    assert_eq!(Table::with_consent("openid", "").decides(claims), "Consent");
    assert_eq!(
        Table::with_consent("openid email", "").decides(claims),
        "Issue"
    );
    let unknown = r#"claims={"userinfo":{"phone_number":null}}"#;
    let request = asked(third_party(), unknown).request.unwrap();
    assert!(
        request.claims.userinfo.is_empty(),
        "no scope of the client promises it"
    );
    assert_eq!(Table::with_consent("openid", "").decides(unknown), "Issue");
}

#[test]
fn c12_an_application_on_the_device_needs_a_click_in_a_reused_session() {
    let on_device = "redirect_uri=http://127.0.0.1:5000/cb";
    let silent = &format!("{on_device}&prompt=none");
    for (name, table, more, expected) in [
        ("first party", Table::first_party(), on_device, "Proceed"),
        (
            "silent",
            Table::first_party(),
            silent,
            "interaction_required",
        ),
        (
            "just signed in",
            Table::first_party().for_this(),
            on_device,
            "Issue",
        ),
        (
            "covered",
            Table::with_consent("openid", ""),
            on_device,
            "Proceed",
        ),
        ("third party", Table::signed_in(), on_device, "Consent"),
    ] {
        assert_eq!(table.decides(more), expected, "{name}");
    }
    let clicked = Table {
        agreed: true,
        ..Table::first_party()
    };
    assert_eq!(clicked.decides(on_device), "Issue");
}

#[test]
fn a_consent_grows_and_then_covers_what_it_grew_by() {
    let asked = asked(
        third_party(),
        "scope=openid profile&resource=https://orders.example",
    );
    let request = asked.request.as_ref().unwrap();
    let earlier = Table::with_consent("email openid", "https://bills.example")
        .consent
        .unwrap();
    let table = Table::signed_in();
    let granted = issue_code::Granted {
        tenant: &tenant(third_party()),
        destination: &asked.destination,
        request,
        signed_in: SignedIn {
            user: &table.user,
            session: table.session.as_ref().unwrap(),
            for_this: true,
        },
        transaction: "t",
    };
    let consent = issue_code::consent(granted, Some(&earlier), at(5));
    assert_eq!(consent.scope, "email openid profile");
    assert_eq!(
        consent.resources,
        "https://bills.example https://orders.example"
    );
    assert!(covers(&consent, request) && !covers(&earlier, request));
}

proptest! {
    #[test]
    fn p3_no_request_makes_it_panic(query in "[a-z_%&=0-9 +\"{}\\[\\]:\\PC]{0,200}") {
        let _ = read(&tenant(third_party()), &query);
        let _ = asked(third_party(), &query.replace("redirect_uri", "").replace("client_id", ""));
    }

    #[test]
    fn whatever_is_asked_only_scopes_of_the_client_are_granted(scope in "((openid|email|phone|orders\\.read|x) ?){0,6}") {
        let client = third_party();
        if let Ok(request) = asked(client.clone(), &format!("scope={scope}")).request {
            prop_assert!(request.scopes.iter().all(|granted| client.scopes.iter().any(|own| **own == **granted)));
        }
    }
}
