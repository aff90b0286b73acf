//! The fields that the release before this one did not have. On its definitions the program works without them; where
//! anything else is missing, the definitions are older than that. A test compares the list with `tests/releases/`.

/// By kind; what lies below a field is not listed.
pub const NEW_FIELDS: [(&str, &[&str]); 3] = [
    (
        "OAuthClient",
        &[
            "spec.assertionAudience",
            "spec.idTokenClaims",
            "status.lastUsedAt",
            "status.unusedSince",
        ],
    ),
    (
        "OAuthTenant",
        &[
            "spec.accessTokens",
            "spec.audiences[].accessTokens",
            "spec.audiences[].claims",
            "spec.customClientIds.reserved",
            "spec.customClientIds.uriCharacters",
            "spec.pkce",
            "spec.redirectSchemes",
            "spec.secrets",
            "spec.session.persistent",
            "spec.signing.algorithms",
            "spec.signing.emergency",
            "spec.signing.requestId",
            "spec.users.limits",
            "spec.users.reassignedSubjects",
            "spec.users.signInWith",
            "status.lastHandledRequestId",
            "status.signingKeys",
        ],
    ),
    ("OAuthUser", &[]),
];
