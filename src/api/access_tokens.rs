//! What an OAuthTenant says about access tokens.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// The form of access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct AccessTokens {
    /// `typ` in the header: `at+jwt` (default, RFC 9068 section 2.1), or `JWT` for verifiers that refuse anything
    /// else. A token for several audiences needs one type for all of them. A change is for new tokens; those that
    /// were issued stay valid.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(rename = "type")]
    pub type_: Option<AccessTokenType>,
}

/// `typ` of an access token (RFC 7515 section 4.1.9).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = schema::undescribed)]
pub enum AccessTokenType {
    /// RFC 9068.
    #[default]
    #[serde(rename = "at+jwt")]
    AtJwt,
    /// The type of any JWT.
    #[serde(rename = "JWT")]
    Jwt,
}
