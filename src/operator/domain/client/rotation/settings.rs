//! `spec.rotation` as the settings of the policy.

use std::time::Duration;

use clientele_api::{
    ClientType, DurationString, OAuthClient, OAuthClientSpec, TokenEndpointAuthMethod,
};
use clientele_oauth::client::secret_rotation::Settings;

/// What a manifest asks for, or what is wrong with it: the rules that the API server has judged already.
pub fn settings(object: &OAuthClient) -> Result<Settings, &'static str> {
    let Some(spec) = &object.spec.rotation else {
        return Ok(Settings::DEFAULT);
    };
    if let Some(problem) = nothing_to_rotate(&object.spec) {
        return Err(problem);
    }
    let read = |text: &Option<DurationString>, default: Option<Duration>, min: u64| match text {
        None => Ok(default),
        Some(text) => text
            .parse_from_zero()
            .filter(|d| (min..=8760 * 3600).contains(&d.as_secs()))
            .map(Some)
            .ok_or("rotation has a duration that is malformed or out of bounds; write h, m and s"),
    };
    let default = Settings::DEFAULT;
    let max_overlap = read(&spec.max_overlap, Some(default.max_overlap), 0)?;
    let max_overlap = max_overlap.unwrap_or(default.max_overlap);
    let every = read(&spec.every, None, 3600)?;
    let quiet = read(&spec.quiet_period, None, 1)?;
    if every.is_some_and(|every| every <= max_overlap) {
        return Err("rotation.every must be longer than rotation.maxOverlap (default 168h)");
    }
    if !max_overlap.is_zero() && quiet.is_some_and(|quiet| quiet > max_overlap) {
        return Err("rotation.quietPeriod must be at most rotation.maxOverlap (default 168h)");
    }
    Ok(Settings {
        every,
        quiet_period: quiet.unwrap_or(default.quiet_period),
        max_overlap,
    })
}

/// Why there is no client secret that could rotate: none, or one that is not ours to change.
fn nothing_to_rotate(spec: &OAuthClientSpec) -> Option<&'static str> {
    if spec.type_ == ClientType::Public {
        return Some("a Public client has no secret to rotate; remove rotation");
    }
    if spec.secret_ref.is_some() {
        return Some(
            "a client secret provided by secretRef is rotated by its owner; remove rotation, and write the next value into that Secret",
        );
    }
    match spec.token_endpoint_auth_method? {
        TokenEndpointAuthMethod::PrivateKeyJwt => Some(
            "with private_key_jwt there is no client secret to rotate; remove rotation, and replace keys in jwks",
        ),
        TokenEndpointAuthMethod::ServiceAccount => {
            Some("with service_account there is no client secret to rotate; remove rotation")
        }
        TokenEndpointAuthMethod::ClientSecretBasic | TokenEndpointAuthMethod::ClientSecretPost => {
            None
        }
    }
}
