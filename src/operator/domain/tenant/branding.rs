//! How the pages of a tenant look.

use std::sync::Arc;

use clientele_api::OAuthTenant;
use clientele_oauth::tenant::Branding;
use clientele_oauth::tenant::logo::Logo;

/// What `admissible` has left in the specification.
pub(super) fn branding(tenant: &OAuthTenant) -> Branding {
    let spec = tenant.spec.branding.clone().unwrap_or_default();
    Branding {
        name: tenant
            .spec
            .display_name
            .as_deref()
            .unwrap_or_default()
            .into(),
        logo: spec
            .logo
            .as_deref()
            .and_then(Logo::of_data_url)
            .map(Arc::new),
        color: spec.color.map(Arc::from),
    }
}

/// Whether a `data:` URL is a picture that can stand in an attribute.
pub(super) fn is_picture(url: &str) -> bool {
    let rest = url.strip_prefix("data:image/");
    let data = rest.and_then(|rest| rest.split_once(";base64,"));
    data.is_some_and(|(kind, data)| {
        let digits = data.strip_suffix("==").or(data.strip_suffix('='));
        let digits = digits.unwrap_or(data);
        let inside = |b: u8| b.is_ascii_alphanumeric() || b"+/".contains(&b);
        ["png", "jpeg", "webp", "svg+xml"].contains(&kind)
            && url.len() <= 32_768
            && !digits.is_empty()
            && digits.bytes().all(inside)
            && Logo::of_data_url(url).is_some()
    })
}

/// Whether a text is a color that can stand in a stylesheet.
pub(super) fn is_color(color: &str) -> bool {
    let digits = color.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}
