//! Client authentication by a secret, or by the ID alone (RFC 6749 §2.3.1).

use std::sync::Arc;

use jiff::Timestamp;

use crate::client::external_secret;
use crate::keys::root_keyring::Registration;
use crate::{AuthMethod, Client, ClientType, Keyring, OAuthError, Tenant};

/// The ID and secret that a request presents; the secret is empty for the method `none`.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    pub id: &'a str,
    pub secret: &'a str,
    pub method: AuthMethod,
}

const INVALID: OAuthError = OAuthError::invalid_client();
const NOT_SERVED: &str =
    "no client of this ID is served here: kubectl get oauthclients says which are, and why not";
const NOT_ENCODED: &str = "no client of this ID is served here, but one whose ID goes on with a colon: form-encode client ID and secret in the Authorization header (RFC 6749 section 2.3.1), or send them in the form (client_secret_post)";
const OTHER_METHOD: &str = "the client does not authenticate in this way: compare what was sent with its type and tokenEndpointAuthMethod";
const WRONG: &str = "the client secret is wrong";
const RETIRED: &str =
    "the client secret was retired by a rotation: the application has to read its Secret again";
const DERIVED: &str = "the client secret is the derived one, and secretRef brings another";

/// The client that the secret proves.
///
/// An unknown client costs the same work and gives the same answer as a wrong secret.
pub fn verify<'t>(
    tenant: &'t Tenant,
    keyring: &Keyring,
    presented: Presented<'_>,
    now: Timestamp,
) -> Result<&'t Arc<Client>, OAuthError> {
    let Presented { id, secret, method } = presented;
    let client = tenant.clients.get(id);
    let registration = Registration {
        client_id: id,
        client_uid: client.map_or("", |client| &client.uid),
    };
    let generation = keyring.verify(registration, secret.as_bytes());
    let brought = client.and_then(|client| client.external_secret.as_deref());
    // What a root key made is nothing that can be brought.
    let is_brought = generation.is_none() && external_secret::verify(brought, keyring, secret);
    let client = client.ok_or_else(|| {
        let cut = method == AuthMethod::ClientSecretBasic && tenant.clients.begin_with(id);
        INVALID.because(if cut { NOT_ENCODED } else { NOT_SERVED })
    })?;
    if !client.allows_method(method) {
        return Err(INVALID.because(OTHER_METHOD));
    }
    let proven = match client.client_type {
        ClientType::Public => method == AuthMethod::None,
        // Who brings a secret has no other.
        ClientType::Confidential if client.external_secret.is_some() => is_brought,
        ClientType::Confidential => generation.is_some_and(|g| g >= client.oldest_accepted),
    };
    if !proven {
        return Err(INVALID.because(match generation {
            None => WRONG,
            Some(_) if client.external_secret.is_some() => DERIVED,
            Some(_) => RETIRED,
        }));
    }
    match generation {
        Some(generation) => client.uses.note(generation, now),
        None if is_brought => client.uses.note_without_secret(now),
        // An ID alone proves nothing; the code or the refresh token does.
        None => {}
    }
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(floor: u32, generation: u32) -> bool {
        let mut client = crate::client::testing::client();
        client.oldest_accepted = floor;
        let root = crate::keys::root_keyring::RootKey::new("keyid000", &[7; 32]).unwrap();
        let keyring = Keyring::new("keyid000", vec![root]).unwrap();
        let registration = Registration {
            client_id: &client.id,
            client_uid: &client.uid,
        };
        let secret = keyring.derive(registration, generation);
        let id = client.id.clone();
        let clients = [(id.clone(), Arc::new(client))].into();
        let tenant = Tenant {
            clients,
            ..Tenant::new("t".into(), "uid-of-t".into(), "https://t".into())
        };
        let presented = Presented {
            id: &id,
            secret: secret.expose(),
            method: AuthMethod::ClientSecretPost,
        };
        verify(&tenant, &keyring, presented, Timestamp::UNIX_EPOCH).is_ok()
    }

    #[test]
    fn k09_who_brings_a_secret_authenticates_with_it_and_with_no_other() {
        let root = crate::keys::root_keyring::RootKey::new("keyid000", &[7; 32]).unwrap();
        let keyring = Keyring::new("keyid000", vec![root]).unwrap();
        let mut client = crate::client::testing::client();
        let registration = Registration {
            client_id: &client.id,
            client_uid: &client.uid,
        };
        let derived = keyring.derive(registration, 1);
        let value = "0123456789abcdef0123456789abcdef";
        let key = Arc::new(external_secret::ExternalSecretKey::new(&[3; 32]));
        client.external_secret = Some(Box::new(external_secret::ExternalSecret {
            current: key.digest(value),
            previous: None,
            key,
        }));
        let id = client.id.clone();
        let tenant = Tenant {
            clients: [(id.clone(), Arc::new(client))].into(),
            ..Tenant::new("t".into(), "uid-of-t".into(), "https://t".into())
        };
        let accepts = |id: &str, secret: &str, method| {
            let presented = Presented { id, secret, method };
            verify(&tenant, &keyring, presented, Timestamp::UNIX_EPOCH).is_ok()
        };
        let post = AuthMethod::ClientSecretPost;
        assert!(accepts(&id, value, post));
        assert!(
            !accepts(&id, derived.expose(), post),
            "the derived one stopped"
        );
        assert!(!accepts("team-a.other", value, post) && !accepts(&id, "", post));
        assert!(!accepts(&id, "", AuthMethod::None));
    }

    proptest! {
        #[test]
        fn d15_a_generation_below_the_floor_is_refused_and_every_other_accepted(floor in 1u32..50, generation in 0u32..100) {
            prop_assert_eq!(accepts(floor, generation), generation >= floor);
        }
    }
}
