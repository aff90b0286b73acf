//! The table of (header, form) → outcome: what a request presents decides the method, and no method falls through to
//! another.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::assertion::JWT_BEARER;
use super::*;
use crate::client::testing;
use crate::endpoints::parameters::Parameters;
use crate::endpoints::token::TokenRequest;
use crate::jose::public_key::PublicKey;
use crate::keys::root_keyring::{Registration, RootKey};
use crate::{Algorithm, ClientType, SigningKey};

const ISSUER: &str = "https://id.example";
const NOW: i64 = 1_800_000_000;
const SEVERAL: &str =
    "invalid_request: more than one method of client authentication in one request";
const REPEATED: &str = "invalid_request: a parameter is repeated";
const NOT_UTF8: &str =
    "invalid_request: a parameter is not UTF-8 in application/x-www-form-urlencoded";
const NO_ID: &str = "invalid_client: no client ID was sent";
const NOT_BASIC: &str = "invalid_client: the Authorization header is not Basic with the client ID and secret, each form-encoded, in base64";
const WRONG: &str = "invalid_client: the client secret is wrong";
const NOT_SERVED: &str = "invalid_client: no client of this ID is served here: kubectl get oauthclients says which are, and why not";
const OTHER_METHOD: &str = "invalid_client: the client does not authenticate in this way: compare what was sent with its type and tokenEndpointAuthMethod";
const NO_ASSERTION: &str = "invalid_client: client_assertion is missing";
const OTHER_TYPE: &str = "invalid_client: client_assertion_type is not urn:ietf:params:oauth:client-assertion-type:jwt-bearer (RFC 7523 section 2.2)";

struct Fixture {
    tenant: Tenant,
    keyring: Keyring,
    secret: String,
    assertion: String,
}

/// A tenant with a confidential client `web` that holds a secret, `jwt` that signs assertions, and the public `spa`.
fn world() -> Fixture {
    let root = RootKey::new("keyid000", &[7; 32]).unwrap();
    let keyring = Keyring::new("keyid000", vec![root]).unwrap();
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let key = SigningKey::from_pkcs8(Algorithm::EdDsa, der.as_ref()).unwrap();
    let jwk = serde_json::to_value(key.jwk()).unwrap();
    let public = PublicKey::new(serde_json::from_value(jwk).unwrap()).unwrap();
    let named = |id: &str| Client {
        id: id.into(),
        ..testing::client()
    };
    let mut jwt = named("jwt");
    jwt.assertion_methods.keys = [public].into();
    let mut spa = named("spa");
    spa.client_type = ClientType::Public;
    let web = named("web");
    let registration = Registration {
        client_id: "web",
        client_uid: &web.uid,
    };
    let secret = keyring.derive(registration, 1).expose().to_owned();
    let claims = json!({ "iss": "jwt", "sub": "jwt", "aud": ISSUER, "jti": "1", "exp": NOW + 60 });
    let assertion = key.sign_id_token(claims.to_string().as_bytes()).unwrap();
    let clients = [web, jwt, spa].map(|client| (client.id.clone(), Arc::new(client)));
    let tenant = Tenant {
        clients: clients.into(),
        ..Tenant::new("t".into(), "uid".into(), ISSUER.into())
    };
    Fixture {
        tenant,
        keyring,
        secret,
        assertion,
    }
}

impl Fixture {
    fn outcome(&self, attempt: &Attempt<'_>) -> String {
        let now = Timestamp::from_second(NOW).unwrap();
        match authenticate(&self.tenant, &self.keyring, attempt, now) {
            Ok(Authentication::Authenticated(client)) => format!("authenticated {}", client.id),
            Ok(Authentication::NeedsProof(Proof { client, evidence })) => match evidence {
                Evidence::FirstUse { .. } => format!("first use by {}", client.id),
                Evidence::Review(_) => format!("review for {}", client.id),
            },
            Err(error) => format!("{}: {}", error.code.as_str(), error.reason()),
        }
    }

    /// Replaces SECRET, ASSERTION and TYPE.
    fn filled(&self, text: &str) -> String {
        text.replace("SECRET", &self.secret)
            .replace("ASSERTION", &self.assertion)
            .replace("TYPE", JWT_BEARER)
    }
}

fn header(text: &str) -> Vec<u8> {
    match text.strip_prefix("Basic ") {
        Some(pair) => format!("Basic {}", STANDARD.encode(pair)).into_bytes(),
        None => text.as_bytes().to_vec(),
    }
}

/// Header, form, outcome. An empty header is not sent.
const TABLE: &[(&str, &str, &str)] = &[
    // Nothing.
    ("", "", NO_ID),
    ("", "client_id=", NO_ID),
    // The header.
    ("Basic web:SECRET", "", "authenticated web"),
    ("Basic web:SECRET", "client_id=web", "authenticated web"),
    ("Basic web:SECRET", "client_id=", "authenticated web"),
    ("Basic web:wrong", "", WRONG),
    ("Basic web:", "", OTHER_METHOD),
    ("Basic unknown:SECRET", "", NOT_SERVED),
    ("Basic jwt:SECRET", "", WRONG),
    ("Basic spa:", "", "authenticated spa"),
    (
        "Basic spa:",
        "client_id=spa&client_secret=",
        "authenticated spa",
    ),
    ("Basic spa:x", "", OTHER_METHOD),
    ("Basic jwt:", "", OTHER_METHOD),
    ("Basic web", "", NOT_BASIC),
    ("Bearer abc", "client_id=spa", NOT_BASIC),
    (
        "Basic web:SECRET",
        "client_id=spa",
        "invalid_request: client_id of the form differs from the client of the Authorization header",
    ),
    // The form.
    (
        "",
        "client_id=web&client_secret=SECRET",
        "authenticated web",
    ),
    ("", "client_id=web&client_secret=wrong", WRONG),
    ("", "client_id=web&client_secret=", OTHER_METHOD),
    ("", "client_id=web", OTHER_METHOD),
    ("", "client_secret=SECRET", NO_ID),
    ("", "client_id=unknown&client_secret=SECRET", NOT_SERVED),
    ("", "client_id=spa", "authenticated spa"),
    ("", "client_id=spa&client_secret=", "authenticated spa"),
    ("", "client_id=spa&client_secret=x", OTHER_METHOD),
    ("", "client_id=web&client_id=web", REPEATED),
    ("Basic web:SECRET", "client_id=web&client_id=web", REPEATED),
    (
        "",
        "client_id=web&client_secret=a&client_secret=a",
        REPEATED,
    ),
    // Assertions.
    (
        "",
        "client_assertion=ASSERTION&client_assertion_type=TYPE",
        "first use by jwt",
    ),
    (
        "",
        "client_id=jwt&client_assertion=ASSERTION&client_assertion_type=TYPE",
        "first use by jwt",
    ),
    (
        "",
        "client_id=web&client_assertion=ASSERTION&client_assertion_type=TYPE",
        "invalid_client: client_id is not the client that the assertion is of",
    ),
    ("", "client_assertion=ASSERTION", OTHER_TYPE),
    (
        "",
        "client_assertion=ASSERTION&client_assertion_type=other",
        OTHER_TYPE,
    ),
    ("", "client_id=spa&client_assertion=", "authenticated spa"),
    (
        "",
        "client_id=spa&client_assertion_type=",
        "authenticated spa",
    ),
    (
        "",
        "client_assertion=&client_assertion_type=TYPE",
        NO_ASSERTION,
    ),
    (
        "",
        "client_assertion=abc&client_assertion_type=TYPE",
        "invalid_client: the client assertion is not a signed JWT of a form that is understood",
    ),
    ("", "client_assertion=a&client_assertion=b", REPEATED),
    // More than one method.
    ("Basic web:SECRET", "client_secret=SECRET", SEVERAL),
    ("Basic web:SECRET", "client_secret=", "authenticated web"),
    ("Bearer abc", "client_id=web&client_secret=SECRET", SEVERAL),
    ("Basic web:SECRET", "client_assertion=", "authenticated web"),
    (
        "Basic web:SECRET",
        "client_assertion=ASSERTION&client_assertion_type=TYPE",
        SEVERAL,
    ),
    (
        "",
        "client_id=web&client_secret=SECRET&client_assertion=",
        "authenticated web",
    ),
    (
        "",
        "client_secret=&client_assertion=ASSERTION&client_assertion_type=TYPE",
        "first use by jwt",
    ),
];

#[test]
fn header_and_form_decide_the_outcome() {
    let world = world();
    for &(sent, form, expected) in TABLE {
        let sent = header(&world.filled(sent));
        let authorization = Some(&*sent).filter(|sent| !sent.is_empty());
        let encoded = world.filled(form);
        let parameters = Parameters::read(encoded.as_bytes()).unwrap();
        let attempt = Attempt::from_parameters(&parameters, authorization);
        assert_eq!(world.outcome(&attempt), expected, "{sent:?} {form}");
        // The token endpoint, which parses leniently.
        let outcome = match TokenRequest::parse(encoded.as_bytes(), authorization) {
            Ok(request) => world.outcome(request.attempt()),
            Err(error) => format!("{}: {}", error.code.as_str(), error.reason()),
        };
        assert_eq!(outcome, expected, "token endpoint: {sent:?} {form}");
    }
}

#[test]
fn a_parameter_that_cannot_be_decoded_fails_the_attempt_where_the_form_is_parsed_strictly() {
    let world = world();
    for name in [
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
    ] {
        let parameters = Parameters::read(format!("{name}=%ff").as_bytes()).unwrap();
        let sent = header(&world.filled("Basic web:SECRET"));
        for authorization in [None, Some(&*sent)] {
            let attempt = Attempt::from_parameters(&parameters, authorization);
            assert_eq!(world.outcome(&attempt), NOT_UTF8, "{name}");
        }
    }
}

#[test]
fn the_audit_log_names_registered_clients_alone() {
    let world = world();
    for (sent, form, by_id, by_any) in [
        ("Basic web:wrong", "", Some("web"), Some("web")),
        ("Basic web:wrong", "client_id=spa", Some("web"), Some("web")),
        ("Basic unknown:wrong", "client_id=spa", None, None),
        ("Bearer abc", "client_id=spa", Some("spa"), Some("spa")),
        (
            "",
            "client_id=spa&client_secret=x",
            Some("spa"),
            Some("spa"),
        ),
        ("", "client_id=unknown", None, None),
        ("", "client_assertion=ASSERTION", None, Some("jwt")),
        (
            "",
            "client_id=unknown&client_assertion=ASSERTION",
            None,
            Some("jwt"),
        ),
    ] {
        let sent = header(sent);
        let authorization = Some(&*sent).filter(|sent| !sent.is_empty());
        let parameters = Parameters::read(world.filled(form).as_bytes()).unwrap();
        let attempt = Attempt::from_parameters(&parameters, authorization);
        let id = |client: Option<&Arc<Client>>| client.map(|client| client.id.to_string());
        let found = (
            id(attempt.client_by_id(&world.tenant)),
            id(attempt.client(&world.tenant)),
        );
        assert_eq!(found.0.as_deref(), by_id, "{form}");
        assert_eq!(found.1.as_deref(), by_any, "{form}");
    }
}

#[test]
fn a_client_that_was_replaced_while_its_proof_was_confirmed_is_refused() {
    let world = world();
    let proven = world.tenant.clients["jwt"].clone();
    assert!(still_registered(&world.tenant, &proven).is_ok());
    let replaced = Client {
        uid: "another".into(),
        ..(*proven).clone()
    };
    assert!(still_registered(&world.tenant, &replaced).is_err());
    let deleted = Client {
        id: "deleted".into(),
        ..(*proven).clone()
    };
    assert!(still_registered(&world.tenant, &deleted).is_err());
}
