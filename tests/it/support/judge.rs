//! What the program's own validation says about one object, as if it had been stored with admission bypassed: by a tenant
//! that allows everything that a tenant can allow.

use std::time::Duration;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::keys::root_keyring::{ROOT_KEY_LEN, RootKey};
use clientele_oauth::{Client, Keyring};
use clientele_operator::domain::client::identity::ClientObject;
use clientele_operator::domain::client::validate::{ClientInputs, validate_client};
use clientele_operator::domain::reason::{Reason, Refusal};
use clientele_operator::domain::tenant::policy::{Labels, TenantPolicy};
use clientele_operator::domain::user::validate::{UserInputs, validate_user};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What the program says about an object.
pub enum Judgement {
    /// It is accepted.
    Accepted,
    /// It is refused for a reason that depends on other objects.
    RefusedByOthers,
    /// It is refused by itself, with this message.
    Refused(String),
}

impl Judgement {
    fn of<T>(outcome: Result<T, Refusal>, by_itself: &[Reason]) -> Self {
        match outcome {
            Err(refusal) if by_itself.contains(&refusal.reason) => Self::Refused(refusal.message),
            Err(_) => Self::RefusedByOthers,
            Ok(_) => Self::Accepted,
        }
    }
}

fn policy(tenant: &OAuthTenant) -> TenantPolicy {
    TenantPolicy::new(tenant, "https://login.example.com", Duration::from_mins(15))
}

fn permissive() -> TenantPolicy {
    let spec = json!({
        "namespaces": {},
        "firstParty": { "namespaces": {} },
        "customClientIds": { "namespaces": {} },
        "users": { "namespaces": {} },
        "audiences": [{ "uri": "https://api.example.com" }],
    });
    policy(&OAuthTenant::new(
        "default",
        serde_json::from_value(spec).unwrap(),
    ))
}

/// Judges an OAuthClient.
pub fn client(object: Value) -> Judgement {
    let object: OAuthClient = match serde_json::from_value(object) {
        Ok(object) => object,
        Err(error) => return Judgement::Refused(error.to_string()),
    };
    let outcome = validated(&object);
    Judgement::of(outcome, &[Reason::InvalidSpec, Reason::ClientIdReserved])
}

/// What becomes of an OAuthClient with this spec.
pub fn registered(spec: Value) -> Client {
    let mut object = OAuthClient::new("web", serde_json::from_value(spec).unwrap());
    object.metadata.namespace = Some("apps".to_owned());
    object.metadata.uid = Some("uid-of-web".to_owned());
    validated(&object).unwrap_or_else(|refusal| panic!("{}", refusal.message))
}

fn validated(object: &OAuthClient) -> Result<Client, Refusal> {
    let (tenant, labels) = (permissive(), Labels::new());
    let inputs = ClientInputs {
        tenant: Some(&tenant),
        namespace: &labels,
        id_holder: None,
        external_secret: None,
    };
    validate_client(&ClientObject::parse(object), inputs)
}

/// Judges an OAuthUser.
pub fn user(object: Value) -> Judgement {
    let object: OAuthUser = match serde_json::from_value(object) {
        Ok(object) => object,
        Err(error) => return Judgement::Refused(error.to_string()),
    };
    let (tenant, labels) = (permissive(), Labels::new());
    let key = RootKey::new("aaaaaaaa", &[7; ROOT_KEY_LEN]).unwrap();
    let keyring = Keyring::new("aaaaaaaa", vec![key]).unwrap();
    let inputs = UserInputs {
        tenant: Some((&tenant, "uid-of-default")),
        namespace: &labels,
        username_holder: None,
        subject_holder: None,
        password: None,
        keyring: &keyring,
        valid_from: Timestamp::UNIX_EPOCH,
    };
    Judgement::of(validate_user(&object, inputs), &[Reason::InvalidSpec])
}

/// Judges an OAuthTenant. A URI that is the issuer of another tenant, for example, is refused with another reason.
pub fn tenant(object: Value) -> Judgement {
    let object: OAuthTenant = match serde_json::from_value(object) {
        Ok(object) => object,
        Err(error) => return Judgement::Refused(error.to_string()),
    };
    match &policy(&object).problems[..] {
        [] => Judgement::Accepted,
        problems => Judgement::Refused(problems.join("; ")),
    }
}
