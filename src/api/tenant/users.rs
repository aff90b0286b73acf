//! `spec.users` of an OAuthTenant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::user_limits::UserLimits;

/// Where the people of a tenant are described.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct Users {
    /// Which namespaces' OAuthUsers are people of this tenant, by their labels: a user who may create OAuthUsers
    /// there decides who signs in. Default: none. An empty selector selects all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::namespaces")]
    pub namespaces: Option<LabelSelector>,

    /// Which email domains and groups the OAuthUsers of a namespace may have. Default: no limit. Once there is an entry, the
    /// people of a namespace may have what those entries admit that select it; what one entry does not limit is not
    /// limited, and where no entry selects the namespace, nothing is admitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub limits: Vec<UserLimits>,

    /// Subjects (`sub`) that another registration of a person may use at once. Default: none: a brought `subject` under which
    /// a person signed in belongs to that OAuthUser (UID) until 400 days after the last sign-in, so that another one of the
    /// same subject is the same person to applications. Needed when an OAuthUser was deleted and recreated, such as by a
    /// restore from a backup; remove the entry after the person has signed in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), inner(length(min = 1, max = 255)), extend("x-kubernetes-list-type" = "set"))]
    pub reassigned_subjects: Vec<String>,

    /// What people type to sign in. `Username` (default), or `UsernameOrEmail`: the e-mail address of the OAuthUser as well.
    /// An address that several people have, or that is the username of another person, cannot be used to sign in; the OAuthUsers get a
    /// condition `EmailSignIn` that says so.
    #[serde(default, skip_serializing_if = "SignInWith::is_default")]
    pub sign_in_with: SignInWith,
}

/// What people type to sign in.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum SignInWith {
    /// The username.
    #[default]
    Username,
    /// The username or the e-mail address.
    UsernameOrEmail,
}

impl SignInWith {
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
