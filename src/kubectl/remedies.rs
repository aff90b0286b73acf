//! What to do about the reason of a condition. The message of the condition says it about the object at hand; this is for
//! every object, and for messages of other versions.

/// Whether a person must do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// It works.
    Nothing,
    /// It passes by itself.
    Wait,
    /// The author of the manifest.
    Team,
    /// The platform team.
    Platform,
}

/// A reason: its name, who acts, what it means, what to do.
pub struct Remedy {
    /// The reason of the condition.
    pub reason: &'static str,
    /// Who acts.
    pub act: Actor,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub todo: &'static str,
}

/// What to do about a reason; `None` for one that this version does not know.
pub fn remedy(reason: &str) -> Option<&'static Remedy> {
    REMEDIES.iter().find(|known| known.reason == reason)
}

const fn of(reason: &'static str, act: Actor, meaning: &'static str, todo: &'static str) -> Remedy {
    Remedy {
        reason,
        act,
        meaning,
        todo,
    }
}

/// Every reason.
pub const REMEDIES: &[Remedy] = &[
    of("Registered", Actor::Nothing, "It works.", "Nothing."),
    of("Available", Actor::Nothing, "The tenant works.", "Nothing."),
    of(
        "Pending",
        Actor::Wait,
        "The operator has not seen this version of the object yet.",
        "If it stays, see whether the operator runs: `kubectl -n clientele-system get pods`, and its /readyz.",
    ),
    of(
        "Suspended",
        Actor::Team,
        "spec.suspended is true: every request is refused, and everything is kept.",
        "`kubectl clientele resume NAME`.",
    ),
    of(
        "TenantNotFound",
        Actor::Team,
        "No OAuthTenant has the name in spec.tenant.",
        "`kubectl get oauthtenants` lists those that exist. Create the tenant, or recreate the object with the right name: spec.tenant cannot change.",
    ),
    of(
        "TenantPending",
        Actor::Wait,
        "The signing keys of the tenant are being made.",
        "Nothing; it passes in a moment.",
    ),
    of(
        "ReplicasPending",
        Actor::Wait,
        "A replica of the operator does not serve this version yet; the others do.",
        "If it stays, the message names the replica: read its log, or delete its pod. Or the database of the operator does not answer.",
    ),
    of(
        "TenantNotReady",
        Actor::Platform,
        "The signing keys of the tenant are missing or damaged.",
        "`kubectl clientele why tenant/NAME`; restore the Secret that it names from a backup.",
    ),
    of(
        "NamespaceReserved",
        Actor::Team,
        "The namespace belongs to the cluster itself, and no Secrets are written there.",
        "Create the object in another namespace.",
    ),
    of(
        "NamespaceNotAllowed",
        Actor::Platform,
        "The tenant does not select the namespace (spec.namespaces; for an OAuthUser spec.users.namespaces).",
        "The message names the terms of the selector that fail. Ask the platform team to label the namespace so that they hold, or to change the selector; or use another tenant.",
    ),
    of(
        "FirstPartyNotAllowed",
        Actor::Platform,
        "The tenant does not allow first-party clients in this namespace (spec.firstParty.namespaces).",
        "Remove firstParty, or ask the platform team.",
    ),
    of(
        "CustomClientIdNotAllowed",
        Actor::Platform,
        "The tenant does not let this namespace choose client IDs (spec.customClientIds.namespaces).",
        "Recreate the client without clientId, or ask the platform team.",
    ),
    of(
        "ClientIdReserved",
        Actor::Team,
        "The client ID means something to a cluster, or has the form of another client's default ID.",
        "Recreate the client with another clientId, or without one.",
    ),
    of(
        "ClientIdConflict",
        Actor::Team,
        "Another client claimed the client ID first; the message names it.",
        "Recreate this client with another clientId, or without one; or delete the other client and edit this one.",
    ),
    of(
        "ScopeNotFound",
        Actor::Team,
        "The tenant has no such scope. An OAuthTenant says it of an audience that lists one (condition Advisory): the scope that was meant is then granted for every audience.",
        "Correct spec.scopes of the OAuthClient, or spec.audiences of the OAuthTenant; or ask the platform team to add the scope to spec.scopes of the tenant.",
    ),
    of(
        "ScopeNotAllowed",
        Actor::Platform,
        "The tenant does not give the scope to this namespace.",
        "Remove it from spec.scopes, or ask the platform team.",
    ),
    of(
        "AudienceNotAllowed",
        Actor::Platform,
        "The tenant has no such audience, or has one whose namespaces does not select this namespace.",
        "Correct spec.audiences, or ask the platform team to add the audience to the tenant; if it is there, to select the namespace in its namespaces.",
    ),
    of(
        "AlgorithmNotPublished",
        Actor::Team,
        "The tenant publishes no keys of the algorithm in idTokenSignedResponseAlg, so the ID tokens could not be verified.",
        "Set idTokenSignedResponseAlg to an algorithm that the message lists, or remove it; or ask the platform team to add the algorithm to spec.signing.algorithms of the tenant.",
    ),
    of(
        "AudienceConflict",
        Actor::Platform,
        "The tenant declares an audience twice, or one that is a client ID, an issuer or another name already. The rest of the tenant is served.",
        "Correct the entry of spec.audiences that the message names.",
    ),
    of(
        "RedirectHostNotAllowed",
        Actor::Platform,
        "The tenant does not let clients of this namespace name that host (spec.redirectHosts).",
        "Correct redirectUris, postLogoutRedirectUris or allowedOrigins, or ask the platform team; the message lists the hosts.",
    ),
    of(
        "RedirectSchemeNotAllowed",
        Actor::Platform,
        "A URI has a scheme without a dot, which belongs to no application alone, and the tenant does not let clients of this namespace return to it (spec.redirectSchemes).",
        "Use a scheme in reverse-DNS form such as com.example.app, or ask the platform team to add the scheme to spec.redirectSchemes of the tenant.",
    ),
    of(
        "SecretKeyNotAllowed",
        Actor::Platform,
        "The installation or the tenant does not allow a label or annotation in spec.secret.",
        "Remove the key that the message names, or ask the platform team to add it to secrets.allowedKeys of the chart or of the tenant; the message says which.",
    ),
    of(
        "ServiceAccountNotPinned",
        Actor::Team,
        "The tenant verifies tokens of ServiceAccounts offline, and serviceAccounts names one without its UID.",
        "Add uid beside the name; the message has the command that prints it.",
    ),
    of(
        "InvalidSpec",
        Actor::Team,
        "The object breaks a rule that is younger than it, or the definitions in the cluster are older than the operator.",
        "Correct what the message names; install the definitions of this version.",
    ),
    of(
        "SecretNotOwned",
        Actor::Team,
        "A Secret of that name exists and belongs to another owner. It was not touched.",
        "Set spec.secret.name to a free name. Delete that Secret only if no OAuthClient and no application needs it; the message names the OAuthClient that it belongs to, if it is one.",
    ),
    of(
        "SecretNotFound",
        Actor::Team,
        "There is no Secret of the name in secretRef and of type clientele.dev/client-secret in the namespace.",
        "Make it with the command in the message, or remove secretRef to have a secret derived.",
    ),
    of(
        "SecretInvalid",
        Actor::Team,
        "What the Secret of secretRef holds is missing, empty, too short, or can be guessed.",
        "Write another value with the command in the message.",
    ),
    of(
        "SecretPending",
        Actor::Wait,
        "The Secret of secretRef is being read.",
        "Nothing; it passes in a moment.",
    ),
    of(
        "NamespaceNotEnabled",
        Actor::Platform,
        "The operator may not write Secrets in this namespace (secrets.scope: namespaces).",
        "Add the namespace to secrets.namespaces of the chart, or run the command in the message.",
    ),
    of(
        "QuotaExceeded",
        Actor::Team,
        "A quota of the namespace does not admit the Secret, or the large objects of the namespace take up as much memory as they may.",
        "`kubectl describe quota`; raise it, or delete what is not needed; make a spec shorter than 4 KiB.",
    ),
    of(
        "SecretRefused",
        Actor::Team,
        "The API server or an admission policy refused the Secret; the message has its words.",
        "Correct spec.secret; or delete the Secret if its type differs: it comes back with the same credentials.",
    ),
    of(
        "RootKeyUnavailable",
        Actor::Platform,
        "The root key is missing, damaged, or another one. Existing credentials stay as they are.",
        "Restore the Secret clientele-root-key from a backup (docs/operations/backup.md). Only if it is lost for good: the commands in the message, after which every client has a new secret.",
    ),
    of(
        "SigningKeysUnavailable",
        Actor::Platform,
        "The Secret with the signing keys of the tenant is missing or damaged.",
        "Restore that Secret from a backup, or do what the message says.",
    ),
    of(
        "Disabled",
        Actor::Team,
        "spec.disabled of the OAuthUser is true: sign-in as this person is refused.",
        "`kubectl clientele user enable NAME`; the person signs in again.",
    ),
    of(
        "UsernameConflict",
        Actor::Team,
        "Another OAuthUser of the tenant claimed the username first; the message names it.",
        "Choose another username, or delete the other OAuthUser and edit this one.",
    ),
    of(
        "EmailAmbiguous",
        Actor::Team,
        "Another OAuthUser of the tenant has the email as email or as username, so sign-in with it is refused. The username works.",
        "Give each person an email of their own.",
    ),
    of(
        "SubjectConflict",
        Actor::Team,
        "Another OAuthUser has the subject, or an OAuthClient has it as its client ID.",
        "Recreate the OAuthUser with another subject, or without one.",
    ),
    of(
        "EmailDomainNotAllowed",
        Actor::Platform,
        "The tenant does not let people of this namespace have an email of that domain (spec.users.limits).",
        "Correct spec.email, or ask the platform team to add the domain; the message lists those that are allowed.",
    ),
    of(
        "GroupNotAllowed",
        Actor::Platform,
        "The tenant does not let people of this namespace have that group (spec.users.limits).",
        "Remove the group from spec.groups, or ask the platform team to add it; the message lists those that are allowed.",
    ),
    of(
        "PasswordSecretNotFound",
        Actor::Team,
        "There is no Secret of the name in passwordSecretRef in the namespace.",
        "`kubectl clientele user passwd NAME` makes it.",
    ),
    of(
        "PasswordSecretWrongType",
        Actor::Team,
        "The Secret is not of type clientele.dev/password, so it is not read.",
        "`kubectl clientele user passwd NAME` makes one of that type; the type of a Secret cannot change.",
    ),
    of(
        "PasswordInvalid",
        Actor::Team,
        "What the Secret holds is missing, empty, too short, too long, or a hash that cannot be used.",
        "`kubectl clientele user passwd NAME` writes another one.",
    ),
    of(
        "KeyIdRepeated",
        Actor::Team,
        "Two keys in spec.jwks have one kid, so an assertion that names it is accepted if either key signed it (condition Advisory; the client works).",
        "Give each key a kid of its own, or remove the one that is not used any more.",
    ),
    of(
        "RedirectUriNotNormal",
        Actor::Team,
        "A browser writes the address in redirectUris or postLogoutRedirectUris in another way, and addresses are compared character by character (condition Advisory; the client works).",
        "Write the address in the form that the message names, here and in the application.",
    ),
    of(
        "NoEffect",
        Actor::Team,
        "A scope or another field is about a grant that the client may not use (condition Advisory; the client works).",
        "Remove it, or add the grant that the message names to spec.grantTypes.",
    ),
    of(
        "LifetimeAboveMaximum",
        Actor::Platform,
        "A lifetime in spec.lifetimes.default of the tenant is above the one in spec.lifetimes.maximum, which is what clients get (condition Advisory; the tenant works).",
        "Lower the default, or raise the maximum.",
    ),
    of(
        "ClientIdReservedTwice",
        Actor::Platform,
        "spec.customClientIds.reserved of the tenant keeps a client ID for several namespaces, and the first client that claims it has it (condition Advisory; the tenant works).",
        "Keep the ID for one namespace.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The operator's own list, as text: this program does not link the operator.
    const REASONS: &str = include_str!("../operator/domain/reason.rs");

    #[test]
    fn every_reason_of_the_operator_has_a_remedy_and_no_other() {
        let quoted = REASONS.split("=> \"").skip(1);
        let mut reasons: BTreeSet<&str> =
            quoted.filter_map(|rest| rest.split('"').next()).collect();
        assert!(reasons.len() > 30, "{reasons:?}");
        // What the API server says of an object that no operator has seen.
        reasons.insert("Pending");
        let known: BTreeSet<&str> = REMEDIES.iter().map(|known| known.reason).collect();
        assert_eq!(known, reasons);
        assert_eq!(REMEDIES.len(), known.len(), "none twice");
    }

    #[test]
    fn a_remedy_is_a_sentence_that_says_what_to_do() {
        for Remedy {
            reason,
            act,
            meaning,
            todo,
        } in REMEDIES
        {
            assert!(meaning.ends_with('.') && todo.ends_with('.'), "{reason}");
            let nothing = todo.starts_with("Nothing");
            assert!(
                !nothing || matches!(act, Actor::Nothing | Actor::Wait),
                "{reason}"
            );
        }
        assert!(remedy("Unheard").is_none());
    }
}
