//! What the status of an OAuthUser says after a reconcile.

use clientele_api::condition::{conditions, since_creation};
use clientele_api::{OAuthUser, OAuthUserStatus};
use clientele_oauth::User;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource;

use crate::domain::client::status::verdict_conditions;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::user::email::CONDITION;
use crate::domain::verdict::{UserDetails, UserVerdict};

const AMBIGUOUS: &str = "sign-in with the address in spec.email is refused, because another OAuthUser of the tenant has it as email or as username; give each user a different address. Sign-in with the username works";

/// What the status says of the person: disabled is said even though there is one.
pub fn outcome(verdict: &UserVerdict) -> Result<(), Refusal> {
    match &verdict.registered {
        Err(refusal) => Err(refusal.clone()),
        Ok(person) if person.disabled => Err(Refusal::new(
            Reason::Disabled,
            "sign-in as this person is refused, and sessions and grants have ended, because spec.disabled is true; set it to false to allow sign-in again",
        )),
        Ok(_) => Ok(()),
    }
}

/// The status that the object shall have. Equal to the one it has when nothing moved.
pub fn status(
    object: &OAuthUser,
    person: Option<&User>,
    details: UserDetails,
    outcome: &Result<(), Refusal>,
    now: Timestamp,
) -> OAuthUserStatus {
    let valid_from = details.valid_from;
    let mut previous = object.status.clone().unwrap_or_default();
    let created = object.meta().creation_timestamp.as_ref();
    since_creation(&mut previous.conditions, created);
    let generation = object.meta().generation;
    let mut all = verdict_conditions(
        &previous.conditions,
        outcome,
        || message(object, person),
        generation,
        now,
    );
    if details.ambiguous_email {
        let previous = &previous.conditions;
        let reason = Reason::EmailAmbiguous.as_str();
        let states = [(CONDITION, "False")];
        all.extend(conditions(
            previous, states, reason, AMBIGUOUS, generation, now,
        ));
    }
    let mut status = OAuthUserStatus {
        observed_generation: generation,
        conditions: all,
        ..previous
    };
    if let Some(person) = person {
        status.subject = Some(person.subject.to_string());
        status.username = Some(person.username.to_string());
    }
    if valid_from > Timestamp::UNIX_EPOCH {
        status.sessions_valid_from = Some(Time(valid_from));
    }
    status
}

fn message(object: &OAuthUser, person: Option<&User>) -> String {
    let spec = &object.spec;
    let name = person.map_or(&*spec.username, |person| &*person.username);
    if spec.password_secret_ref.is_some() {
        format!(
            "{name} can sign in to clients of OAuthTenant {}",
            spec.tenant
        )
    } else {
        format!(
            "{name} is registered in OAuthTenant {}, but cannot sign in with a password; set spec.passwordSecretRef to a Secret",
            spec.tenant
        )
    }
}

#[cfg(test)]
mod tests;
