//! The fields of the form to create and to edit a client.

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `spec.displayName`
    DisplayName,
    /// `metadata.name`
    Name,
    /// `metadata.namespace`
    Namespace,
    /// `spec.type`
    Type,
    /// `spec.firstParty`
    FirstParty,
    /// `spec.redirectUris`
    RedirectUris,
    /// `spec.audiences`
    Audiences,
    /// `spec.tenant`
    Tenant,
    /// `spec.lifetimes.authorizationCode`
    AuthorizationCode,
    /// `spec.lifetimes.accessToken`
    AccessToken,
    /// `spec.lifetimes.idToken`
    IdToken,
    /// `spec.lifetimes.refreshToken`
    RefreshToken,
    /// `spec.lifetimes.refreshTokenIdle`
    RefreshTokenIdle,
    /// `spec.rotation.every`
    RotateEvery,
    /// `spec.rotation.quietPeriod`
    QuietPeriod,
    /// `spec.rotation.maxOverlap`
    MaxOverlap,
}

impl Field {
    /// Every field, in the order of the page.
    pub const ALL: [Self; 16] = [
        Self::DisplayName,
        Self::Name,
        Self::Namespace,
        Self::Type,
        Self::RedirectUris,
        Self::FirstParty,
        Self::Audiences,
        Self::Tenant,
        Self::AuthorizationCode,
        Self::AccessToken,
        Self::IdToken,
        Self::RefreshToken,
        Self::RefreshTokenIdle,
        Self::RotateEvery,
        Self::QuietPeriod,
        Self::MaxOverlap,
    ];

    /// The fields of `spec.lifetimes`.
    pub const LIFETIMES: [Self; 5] = [
        Self::AuthorizationCode,
        Self::AccessToken,
        Self::IdToken,
        Self::RefreshToken,
        Self::RefreshTokenIdle,
    ];

    /// The fields of `spec.rotation`.
    pub const ROTATION: [Self; 3] = [Self::RotateEvery, Self::QuietPeriod, Self::MaxOverlap];

    /// The fields that are durations.
    pub const DURATIONS: [Self; 8] = {
        let [code, access, id, refresh, idle] = Self::LIFETIMES;
        let [every, quiet, overlap] = Self::ROTATION;
        [code, access, id, refresh, idle, every, quiet, overlap]
    };

    /// The name of the input, and of the element with its error.
    pub const fn input(self) -> &'static str {
        match self {
            Self::DisplayName => "display-name",
            Self::Name => "name",
            Self::Namespace => "namespace",
            Self::Type => "type",
            Self::FirstParty => "first-party",
            Self::RedirectUris => "redirect-uris",
            Self::Audiences => "audiences",
            Self::Tenant => "tenant",
            Self::AuthorizationCode => "lifetime-authorization-code",
            Self::AccessToken => "lifetime-access-token",
            Self::IdToken => "lifetime-id-token",
            Self::RefreshToken => "lifetime-refresh-token",
            Self::RefreshTokenIdle => "lifetime-refresh-token-idle",
            Self::RotateEvery => "rotation-every",
            Self::QuietPeriod => "rotation-quiet-period",
            Self::MaxOverlap => "rotation-max-overlap",
        }
    }

    /// The label of the input.
    pub const fn label(self) -> &'static str {
        match self {
            Self::DisplayName => "Name",
            Self::Name => "Resource name",
            Self::Namespace => "Namespace",
            Self::Type => "Type",
            Self::FirstParty => "First-party",
            Self::RedirectUris => "Redirect URIs",
            Self::Audiences => "APIs",
            Self::Tenant => "Tenant",
            Self::AuthorizationCode => "Authorization code",
            Self::AccessToken => "Access token",
            Self::IdToken => "ID token",
            Self::RefreshToken => "Refresh token",
            Self::RefreshTokenIdle => "Refresh token, unused",
            Self::RotateEvery => "Rotates every",
            Self::QuietPeriod => "Old secret unused for",
            Self::MaxOverlap => "Old secret at most for",
        }
    }

    /// The field of the spec; empty for those of the metadata.
    pub const fn of_spec(self) -> &'static str {
        match self {
            Self::DisplayName => "displayName",
            Self::Name | Self::Namespace => "",
            Self::Type => "type",
            Self::FirstParty => "firstParty",
            Self::RedirectUris => "redirectUris",
            Self::Audiences => "audiences",
            Self::Tenant => "tenant",
            Self::AuthorizationCode => "lifetimes.authorizationCode",
            Self::AccessToken => "lifetimes.accessToken",
            Self::IdToken => "lifetimes.idToken",
            Self::RefreshToken => "lifetimes.refreshToken",
            Self::RefreshTokenIdle => "lifetimes.refreshTokenIdle",
            Self::RotateEvery => "rotation.every",
            Self::QuietPeriod => "rotation.quietPeriod",
            Self::MaxOverlap => "rotation.maxOverlap",
        }
    }
}
