//! What an OAuthTenant says about access tokens.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// A claim of the access tokens for an audience.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.from) != has(self.value)").message("a claim has either from (an attribute of the user) or value (a constant); set exactly one of them"))]
#[x_kube(validation = Rule::new("has(self.from) || (!has(self.prefix) && !has(self.rename))").message("prefix and rename apply to an attribute of the user; remove them, or set from instead of value"))]
pub struct AudienceClaim {
    /// The name of the claim in the token. A claim of the protocol, such as `sub` or `scope`, cannot be set.
    #[schemars(schema_with = "claim_name_schema")]
    pub name: String,
    /// The attribute of the person: `groups`, or a claim of the OAuthUser, such as `email` or one of its `claims`. A
    /// person without it, and a token without a person, lack the claim. Groups that begin with `system:` are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "claim_name_schema")]
    pub from: Option<String>,
    /// A constant instead, also in tokens without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new(r"self.matches('^[ !#-\\[\\]-~]+$')").message("must be printable ASCII without quote and backslash"))]
    pub value: Option<String>,
    /// Of the attribute only values that begin with this, such as `orders-`; of a list, those of its items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub prefix: Option<String>,
    /// Values that are replaced, after the filter, and what replaces them, such as `orders-admins: admin`. Others stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "rename_schema")]
    pub rename: BTreeMap<String, String>,
}

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

fn claim_name_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let protocol = schema::PROTOCOL_CLAIMS
        .map(|name| format!("'{name}'"))
        .join(", ");
    schemars::json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "x-kubernetes-validations": [
            {
                "rule": r"self.matches('^[!#-\\[\\]-~]+$')",
                "message": "must be the name of a claim in printable ASCII without space, quote and backslash, such as roles",
            },
            {
                "rule": format!("!(self in [{protocol}])"),
                "message": "is a claim of the protocol, which only the server sets; choose another name",
            },
        ],
    })
}

fn rename_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": { "type": "string", "minLength": 1, "maxLength": 128 },
    })
}
