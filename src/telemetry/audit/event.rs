//! The events of the audit log. Their names are stable: alerts match on them.
//! `make generate` writes `docs/reference/audit.md` from this file.

macro_rules! events {
    ($($(#[$doc:meta])* $event:ident, $name:literal, $sentence:literal;)*) => {
        /// An action of a person, a client or the operator, or its refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuditEvent {
            $($(#[$doc])* $event,)*
        }

        impl AuditEvent {
            /// All of them, in the order of the variants.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$event),*];

            /// The stable name: field `event` of the record, label of the counter.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$event => $name,)*
                }
            }

            /// The message of the record.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$event => $sentence,)*
                }
            }
        }
    };
}

events! {
    /// A user signed in with a password.
    ///
    /// Fields: `client_id` if for an application, `username`, `subject`, `from`.
    SignIn, "sign_in", "signed in";
    /// A sign-in was refused.
    ///
    /// Fields: `username` (`(unknown)` if no user has that name), `reason`: wrong password, too many failures, or a
    /// `subject` that belonged to another OAuthUser.
    SignInFailed, "sign_in_failed", "sign-in failed";
    /// A user signed out, or an application signed them out; `reason` says so when its server did it by a request.
    ///
    /// Fields: `username`, `client_id` of the application.
    SignOut, "sign_out", "signed out";
    /// A user ended all their sessions and grants.
    ///
    /// Fields: `username`.
    SignOutEverywhere, "sign_out_everywhere", "signed out everywhere";
    /// A user gave consent to a client.
    ///
    /// Fields: `username`, `client_id`.
    ConsentGiven, "consent_given", "consent given";
    /// A user declined consent.
    ///
    /// Fields: `username`, `client_id`.
    ConsentDenied, "consent_denied", "consent declined";
    /// A user withdrew consent; its grants end.
    ///
    /// Fields: `username`, `client_id`.
    ConsentWithdrawn, "consent_withdrawn", "consent withdrawn";
    /// A client received an authorization code for a user, with or without a page.
    ///
    /// Fields: `username`, `client_id`.
    Authorized, "authorized", "authorization code issued";
    /// A browser request was refused at `/authorize`, `/login`, `/consent`, `/logout` or `/account`, on a page or by an
    /// error for the client. Of callers who are not signed in, only ten a minute are recorded for each address; `count`
    /// is the number of the others.
    ///
    /// Fields: `client_id` if it is registered, `error`, `reason`: the rule, `request_id`: the page shows it too.
    AuthorizationRefused, "authorization_refused", "authorization refused";
    /// A client received tokens. Only with `--audit-tokens true`.
    ///
    /// Fields: `client_id`, `grant`.
    TokenIssued, "token_issued", "token issued";
    /// A token request was refused. `reason` is what the client was told, or more: which rule a secret, an assertion or
    /// a code broke.
    ///
    /// Fields: `client_id` if it is registered, `grant`, `error`, `reason`.
    TokenRefused, "token_refused", "token request refused";
    /// WARN. An authorization code was used twice and may be stolen (RFC 9700 section 4.5): the tokens from its first
    /// use are revoked.
    ///
    /// Fields: `client_id`.
    CodeReuse, "code_reuse", "an authorization code was used again: the tokens from its first use are revoked";
    /// WARN. A refresh token was used again and may be stolen (RFC 9700 section 4.14.2): its family is revoked.
    ///
    /// Fields: `client_id`.
    RefreshReuse, "refresh_reuse", "a refresh token was used again: its family is revoked";
    /// A client introspected a token. Only with `--audit-tokens true`.
    ///
    /// Fields: `client_id`.
    TokenIntrospected, "token_introspected", "token introspected";
    /// A client is not allowed to introspect, or introspects too many invalid tokens.
    ///
    /// Fields: `error`, `reason`.
    IntrospectionRefused, "introspection_refused", "introspection refused";
    /// A client revoked a token.
    ///
    /// Fields: `client_id`.
    TokenRevoked, "token_revoked", "token revoked";
    /// A client is not allowed to revoke the token.
    ///
    /// Fields: `error`, `reason`.
    RevocationRefused, "revocation_refused", "revocation refused";
    /// The credentials Secret of an OAuthClient was written for the first time.
    ///
    /// Fields: the object.
    ClientRegistered, "client_registered", "client registered";
    /// An OAuthClient, OAuthTenant or OAuthUser was refused.
    ///
    /// Fields: the object, `error`: the reason of its condition.
    RegistrationRefused, "registration_refused", "registration refused";
    /// A client left the registry because its object was deleted. Every replica reports it.
    ///
    /// Fields: the object, `client_id`.
    ClientDeleted, "client_deleted", "client deleted";
    /// A user left the registry because its object was deleted. Every replica reports it.
    ///
    /// Fields: the object, `username`, `subject`.
    PersonDeleted, "person_deleted", "person deleted";
    /// A deleted credentials Secret was created again.
    ///
    /// Fields: the object.
    SecretRestored, "secret_restored", "credentials Secret restored";
    /// A changed credentials Secret was restored.
    ///
    /// Fields: the object.
    SecretRepaired, "secret_repaired", "credentials Secret repaired";
    /// A new client secret was published.
    ///
    /// Fields: the object.
    SecretRotated, "secret_rotated", "client secret rotated";
    /// An old client secret stopped working.
    ///
    /// Fields: the object.
    SecretRetired, "secret_retired", "client secret retired";
    /// Requests or connections were refused, or connections closed, because there was no room: a sum of the last minute (see
    /// [limits](../concepts/limits.md)).
    ///
    /// Fields: `error`: which [reason](metrics.md), `reason`: in a sentence, `count`.
    RefusedForLackOfRoom, "refused_for_lack_of_room", "refused for lack of room";
    /// Signing keys of a tenant were created or removed.
    ///
    /// Fields: the object, `reason`: which.
    SigningKeysChanged, "signing_keys_changed", "signing keys changed";
    /// The first root key was created.
    ///
    /// Fields: the Secret.
    RootKeyMade, "root_key_made", "root key made";
    /// The set of root keys in use changed, or is usable again after an error.
    ///
    /// Fields: the Secret.
    RootKeyAccepted, "root_key_accepted", "root key accepted";
    /// WARN. The root key is missing or another one, or was withdrawn and its successor is not recorded yet: no secret
    /// is derived.
    ///
    /// Fields: the Secret, `reason`: what to do.
    RootKeyRefused, "root_key_refused", "root key refused";
}

impl AuditEvent {
    /// Whether an administrator should investigate it: the record has the level `WARN`.
    pub const fn is_alarming(self) -> bool {
        matches!(
            self,
            Self::CodeReuse | Self::RefreshReuse | Self::RootKeyRefused
        )
    }
}
