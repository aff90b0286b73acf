//! The fields that the release before this one did not have. On its definitions the program works without them; where
//! anything else is missing, the definitions are older than that. A test compares the list with `tests/releases/`.

/// By kind; what lies below a field is not listed.
pub const NEW_FIELDS: [(&str, &[&str]); 3] = [
    ("OAuthClient", &[]),
    ("OAuthTenant", &[]),
    ("OAuthUser", &[]),
];
