//! Why an object does not work: a person's mistake, as a reason and a sentence with the remedy.

use std::fmt;

/// The reason of a condition. Stable names: people alert on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It works.
    Registered,
    /// `spec.suspended` is set.
    Suspended,
    /// The tenant does not exist.
    TenantNotFound,
    /// The signing keys of the tenant are being made.
    TenantPending,
    /// A replica does not serve this version yet, and that takes long.
    ReplicasPending,
    /// The tenant has no usable signing keys, and a person must restore them.
    TenantNotReady,
    /// The namespace belongs to the cluster itself.
    NamespaceReserved,
    /// The tenant does not admit the namespace.
    NamespaceNotAllowed,
    /// The tenant does not allow first-party clients in the namespace.
    FirstPartyNotAllowed,
    /// The tenant does not allow client IDs of one's own in the namespace.
    CustomClientIdNotAllowed,
    /// The client ID means something to a cluster or has the form of a default one.
    ClientIdReserved,
    /// Another client has the ID.
    ClientIdConflict,
    /// The tenant does not know the scope.
    ScopeNotFound,
    /// The tenant does not give the scope to the namespace.
    ScopeNotAllowed,
    /// The tenant does not give the audience to the namespace.
    AudienceNotAllowed,
    /// The tenant does not publish keys of the algorithm that the client wants for its ID tokens.
    AlgorithmNotPublished,
    /// The tenant declares an audience twice, or one that is another kind of name.
    AudienceConflict,
    /// The tenant does not let the namespace's clients return to the host.
    RedirectHostNotAllowed,
    /// The tenant does not let the namespace's clients return to the scheme.
    RedirectSchemeNotAllowed,
    /// The installation or the tenant does not allow a label or annotation of the Secret.
    SecretKeyNotAllowed,
    /// The tenant verifies tokens of ServiceAccounts offline, and the client does not name the UID of one.
    ServiceAccountNotPinned,
    /// A rule that the API server checks does not hold: the object was stored before the rule existed.
    InvalidSpec,
    /// The Secret of that name belongs to another owner.
    SecretNotOwned,
    /// There is no Secret with the client secret that is brought.
    SecretNotFound,
    /// What the Secret holds cannot be used as a client secret.
    SecretInvalid,
    /// The Secret with the client secret has not been looked at yet. No status says so.
    SecretPending,
    /// The operator may not write Secrets in the namespace.
    NamespaceNotEnabled,
    /// A quota of the namespace is used up.
    QuotaExceeded,
    /// The API server refused the Secret.
    SecretRefused,
    /// The root key is missing or not the one that was.
    RootKeyUnavailable,
    /// The signing keys are missing or damaged.
    SigningKeysUnavailable,
    /// A tenant that works.
    Available,
    /// `spec.disabled` is set.
    Disabled,
    /// Another person has the username.
    UsernameConflict,
    /// Another person has the e-mail address.
    EmailAmbiguous,
    /// Another person has the subject, or a client has it as its ID.
    SubjectConflict,
    /// The tenant does not let the people of the namespace have the email domain.
    EmailDomainNotAllowed,
    /// The tenant does not let the people of the namespace have the group.
    GroupNotAllowed,
    /// There is no Secret with the password.
    PasswordSecretNotFound,
    /// The Secret is not marked as one that holds passwords.
    PasswordSecretWrongType,
    /// What the Secret holds cannot be used as a password.
    PasswordInvalid,
    /// Two keys of a client have one ID. Like those below, a reason of the condition `Advisory`: the object works.
    KeyIdRepeated,
    /// A browser writes a redirect URI in another way.
    RedirectUriNotNormal,
    /// A field is about a grant that the client may not use.
    NoEffect,
    /// What the clients of a tenant get by default lives longer than they may have it.
    LifetimeAboveMaximum,
    /// A tenant keeps a client ID for several namespaces.
    ClientIdReservedTwice,
}

impl Reason {
    /// The name in conditions, events and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Suspended => "Suspended",
            Self::TenantNotFound => "TenantNotFound",
            Self::TenantPending => "TenantPending",
            Self::ReplicasPending => "ReplicasPending",
            Self::TenantNotReady => "TenantNotReady",
            Self::NamespaceReserved => "NamespaceReserved",
            Self::NamespaceNotAllowed => "NamespaceNotAllowed",
            Self::FirstPartyNotAllowed => "FirstPartyNotAllowed",
            Self::CustomClientIdNotAllowed => "CustomClientIdNotAllowed",
            Self::ClientIdReserved => "ClientIdReserved",
            Self::ClientIdConflict => "ClientIdConflict",
            Self::ScopeNotFound => "ScopeNotFound",
            Self::ScopeNotAllowed => "ScopeNotAllowed",
            Self::AudienceNotAllowed => "AudienceNotAllowed",
            Self::AlgorithmNotPublished => "AlgorithmNotPublished",
            Self::AudienceConflict => "AudienceConflict",
            Self::RedirectHostNotAllowed => "RedirectHostNotAllowed",
            Self::RedirectSchemeNotAllowed => "RedirectSchemeNotAllowed",
            Self::SecretKeyNotAllowed => "SecretKeyNotAllowed",
            Self::ServiceAccountNotPinned => "ServiceAccountNotPinned",
            Self::InvalidSpec => "InvalidSpec",
            Self::SecretNotOwned => "SecretNotOwned",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretInvalid => "SecretInvalid",
            Self::SecretPending => "SecretPending",
            Self::NamespaceNotEnabled => "NamespaceNotEnabled",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::SecretRefused => "SecretRefused",
            Self::RootKeyUnavailable => "RootKeyUnavailable",
            Self::SigningKeysUnavailable => "SigningKeysUnavailable",
            Self::Available => "Available",
            Self::Disabled => "Disabled",
            Self::UsernameConflict => "UsernameConflict",
            Self::EmailAmbiguous => "EmailAmbiguous",
            Self::SubjectConflict => "SubjectConflict",
            Self::EmailDomainNotAllowed => "EmailDomainNotAllowed",
            Self::GroupNotAllowed => "GroupNotAllowed",
            Self::PasswordSecretNotFound => "PasswordSecretNotFound",
            Self::PasswordSecretWrongType => "PasswordSecretWrongType",
            Self::PasswordInvalid => "PasswordInvalid",
            Self::KeyIdRepeated => "KeyIdRepeated",
            Self::RedirectUriNotNormal => "RedirectUriNotNormal",
            Self::NoEffect => "NoEffect",
            Self::LifetimeAboveMaximum => "LifetimeAboveMaximum",
            Self::ClientIdReservedTwice => "ClientIdReservedTwice",
        }
    }

    /// Whether the operator will get over it without anybody changing a manifest of the application.
    pub const fn passes_by_itself(self) -> bool {
        matches!(
            self,
            Self::TenantPending | Self::SecretPending | Self::ReplicasPending
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object that is not accepted, with what a person can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason of the condition.
    pub reason: Reason,
    /// The message of the condition; names the remedy.
    pub message: String,
}

impl Refusal {
    /// A refusal with a reason and the sentence that names the remedy.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
