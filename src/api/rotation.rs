//! `spec.rotation` and what the status says about it: when the client secret changes, and how long the old one works.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::DurationString;
use super::duration::between;

/// When the client secret changes. The new one is written into the credentials Secret, and the old one works beside
/// it until it is no longer used. Durations are written in h, m and s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(QUIET_WITHIN_OVERLAP).message("quietPeriod must be at most maxOverlap (168h unless you set it), because at maxOverlap the old secret stops in any case; shorten quietPeriod or lengthen maxOverlap"),
    validation = Rule::new(OVERLAP_WITHIN_EVERY).message("every must be longer than maxOverlap (168h unless you set it), so that one rotation has ended before the next begins; lengthen every or shorten maxOverlap")
)]
pub struct RotationSpec {
    /// Rotates the client secret so often, counted from when it was written: at least 1h, at most 8760h. It happens
    /// within the last tenth of this time, so that clients made together do not rotate together. Default: never by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "every_schema")]
    pub every: Option<DurationString>,

    /// The old secret stops once the new one is in use and the old one has not been used for this long, on any
    /// replica: at least 1s. Default: 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "quiet_schema")]
    pub quiet_period: Option<DurationString>,

    /// The old secret stops after this time even if it is still used. `0s` stops it at once, for a secret that has
    /// leaked. Default: 168h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "overlap_schema")]
    pub max_overlap: Option<DurationString>,

    /// Rotates once whenever this value changes, such as a date or the number of a ticket. Applying the same manifest
    /// again rotates nothing. The value that was answered last is `status.rotation.lastHandledRequestId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9][A-Za-z0-9._:/+-]*$')").message("must consist of letters, digits, '.', '_', ':', '/', '+' and '-', such as 2026-11-25 or INC-4711"))]
    pub request_id: Option<String>,
}

/// What is malformed is refused by the rule of its field; the guard keeps `duration()` from failing on it.
const QUIET_WITHIN_OVERLAP: &str = "!has(self.quietPeriod) || !self.quietPeriod.matches('^([0-9]{1,6}[hms]){1,3}$') || \
(has(self.maxOverlap) ? !self.maxOverlap.matches('^([0-9]{1,6}[hms]){1,3}$') || duration(self.maxOverlap) == duration('0s') || \
duration(self.quietPeriod) <= duration(self.maxOverlap) : duration(self.quietPeriod) <= duration('168h'))";
const OVERLAP_WITHIN_EVERY: &str = "!has(self.every) || !self.every.matches('^([0-9]{1,6}[hms]){1,3}$') || \
(has(self.maxOverlap) ? !self.maxOverlap.matches('^([0-9]{1,6}[hms]){1,3}$') || duration(self.maxOverlap) < duration(self.every) : \
duration('168h') < duration(self.every))";

fn every_schema(_: &mut SchemaGenerator) -> Schema {
    between("1h", "8760h")
}

fn quiet_schema(_: &mut SchemaGenerator) -> Schema {
    between("1s", "8760h")
}

fn overlap_schema(_: &mut SchemaGenerator) -> Schema {
    between("0s", "8760h")
}

/// What became of `spec.rotation`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct RotationStatus {
    /// The value of `spec.rotation.requestId` that was answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub last_handled_request_id: Option<String>,

    /// Why the secret changed last: `Requested`, `Scheduled`, `RootKeyRotated` or `RootKeyWithdrawn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub last_cause: Option<String>,

    /// When the secret changes next by itself; a moment later if many are due at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Time>,
}

/// The generations that still work beside the published one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct OverlapStatus {
    /// The generations before this one stop at `retiresAt`.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    pub before: i64,

    /// Since when they have a successor.
    pub since: Time,

    /// When they stop at the latest.
    pub retires_at: Time,

    /// When an old generation was used last, as far as is known, rounded down to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Time>,
}
