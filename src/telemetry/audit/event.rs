//! The events of the audit log. Their names are stable: `docs/reference/audit.md` documents them, and alerts match on them.

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
    /// A person signed in with a password.
    SignIn, "sign_in", "signed in";
    /// A person could not.
    SignInFailed, "sign_in_failed", "sign-in failed";
    /// A person signed out here, or a client signed them out.
    SignOut, "sign_out", "signed out";
    /// A person signed out everywhere.
    SignOutEverywhere, "sign_out_everywhere", "signed out everywhere";
    /// A person agreed to what a client may.
    ConsentGiven, "consent_given", "consent given";
    /// A person declined.
    ConsentDenied, "consent_denied", "consent declined";
    /// A person took it back.
    ConsentWithdrawn, "consent_withdrawn", "consent withdrawn";
    /// A client was given an authorization code for a person.
    Authorized, "authorized", "authorization code issued";
    /// An authorization request, a form of a page or a request to sign out was refused.
    AuthorizationRefused, "authorization_refused", "authorization refused";
    /// A client was given tokens. Only if asked for.
    TokenIssued, "token_issued", "token issued";
    /// A token request was refused.
    TokenRefused, "token_refused", "token request refused";
    /// The code may be stolen (RFC 9700 §4.5).
    CodeReuse, "code_reuse", "an authorization code was used again: what its first use produced is revoked";
    /// The token may be stolen (RFC 9700 §4.14.2).
    RefreshReuse, "refresh_reuse", "a refresh token was used again: its family is revoked";
    /// A client asked about a token. Only if asked for.
    TokenIntrospected, "token_introspected", "token introspected";
    /// A client may not ask, or asks too often.
    IntrospectionRefused, "introspection_refused", "introspection refused";
    /// A client gave a token back.
    TokenRevoked, "token_revoked", "token revoked";
    /// A client may not.
    RevocationRefused, "revocation_refused", "revocation refused";
    /// A client's credentials were written for the first time.
    ClientRegistered, "client_registered", "client registered";
    /// An OAuthClient, OAuthTenant or OAuthUser is not accepted as it is.
    RegistrationRefused, "registration_refused", "registration refused";
    /// A client left the registry.
    ClientDeleted, "client_deleted", "client deleted";
    /// A user left the registry.
    PersonDeleted, "person_deleted", "person deleted";
    /// A deleted credentials Secret was written again.
    SecretRestored, "secret_restored", "credentials Secret restored";
    /// A changed credentials Secret was put right.
    SecretRepaired, "secret_repaired", "credentials Secret repaired";
    /// A new client secret was published.
    SecretRotated, "secret_rotated", "client secret rotated";
    /// An old client secret stopped.
    SecretRetired, "secret_retired", "client secret retired";
    /// Requests or connections were refused, or connections closed, because there was no room for them: a sum.
    RefusedForLackOfRoom, "refused_for_lack_of_room", "refused for lack of room";
    /// Signing keys were made or removed.
    SigningKeysChanged, "signing_keys_changed", "signing keys changed";
    /// The first root key was made.
    RootKeyMade, "root_key_made", "root key made";
    /// Root keys are used that were not before.
    RootKeyAccepted, "root_key_accepted", "root key accepted";
    /// The root key is missing or is another one: nothing is derived.
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
