//! Lifetimes, as clients ask for them and tenants bound them.

use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::DurationString;
use super::duration::between;

/// How long what is issued lives. Durations are written in h, m and s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(REFRESH_COVERS_ACCESS).message("refreshToken must be at least accessToken: a token that renews another must outlive it"),
    validation = Rule::new(IDLE_WITHIN_REFRESH).message("refreshTokenIdle must be at most refreshToken: unused, a refresh token ends no later than in use")
)]
pub struct Lifetimes {
    /// Authorization codes (RFC 6749 section 4.1.2): at least 1s, at most 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "code_schema")]
    pub authorization_code: Option<DurationString>,

    /// Access tokens: at least 1s, at most 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "token_schema")]
    pub access_token: Option<DurationString>,

    /// ID tokens: at least 1s, at most 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "token_schema")]
    pub id_token: Option<DurationString>,

    /// Refresh tokens: however often they are used, people sign in again after this. At least 1s, at most 8760h,
    /// never less than accessToken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "refresh_schema")]
    pub refresh_token: Option<DurationString>,

    /// Refresh tokens: unused for this long, they end. At least 1s, never more than refreshToken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "refresh_schema")]
    pub refresh_token_idle: Option<DurationString>,
}

/// What is malformed is refused by the rule of its field; the guard keeps `duration()` from failing on it.
const REFRESH_COVERS_ACCESS: &str = "!has(self.refreshToken) || !has(self.accessToken) || \
!self.refreshToken.matches('^([0-9]{1,6}[hms]){1,3}$') || !self.accessToken.matches('^([0-9]{1,6}[hms]){1,3}$') || \
duration(self.refreshToken) >= duration(self.accessToken)";
const IDLE_WITHIN_REFRESH: &str = "!has(self.refreshTokenIdle) || !has(self.refreshToken) || \
!self.refreshTokenIdle.matches('^([0-9]{1,6}[hms]){1,3}$') || !self.refreshToken.matches('^([0-9]{1,6}[hms]){1,3}$') || \
duration(self.refreshTokenIdle) <= duration(self.refreshToken)";

fn code_schema(_: &mut SchemaGenerator) -> Schema {
    between("1s", "10m")
}

fn token_schema(_: &mut SchemaGenerator) -> Schema {
    between("1s", "24h")
}

fn refresh_schema(_: &mut SchemaGenerator) -> Schema {
    between("1s", "8760h")
}
