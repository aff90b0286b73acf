//! How the pages of a tenant look.

use std::sync::Arc;

use clientele_api::OAuthTenant;
use clientele_oauth::tenant::Branding;

/// What stands in an attribute or in the stylesheet is validated again, in case admission was bypassed.
pub(super) fn branding(tenant: &OAuthTenant) -> Branding {
    let spec = tenant.spec.branding.clone().unwrap_or_default();
    let is_picture = |url: &String| {
        let rest = url.strip_prefix("data:image/");
        let data = rest.and_then(|rest| rest.split_once(";base64,"));
        data.is_some_and(|(kind, data)| {
            ["png", "jpeg", "webp", "svg+xml"].contains(&kind)
                && url.len() <= 32_768
                && data
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        })
    };
    let is_color = |color: &String| {
        let digits = color.strip_prefix('#').unwrap_or_default();
        digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    };
    Branding {
        name: tenant
            .spec
            .display_name
            .as_deref()
            .unwrap_or_default()
            .into(),
        logo: spec.logo.filter(is_picture).map(Arc::from),
        color: spec.color.filter(is_color).map(Arc::from),
    }
}
