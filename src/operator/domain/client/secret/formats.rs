//! The formats of credentials Secrets: for each the entries as templates, the type and the labels that its consumer reads.
//! Where each was looked up stands in docs/how-to/secret-formats.md.

use clientele_api::SecretFormat;

/// What a credentials Secret holds when a manifest says nothing else.
#[derive(Clone, Copy)]
pub struct Preset {
    /// The type of the Secret.
    pub type_: &'static str,
    /// Labels.
    pub labels: &'static [(&'static str, &'static str)],
    /// The template of each entry.
    pub entries: &'static [(&'static str, &'static str)],
    /// Entries that name a claim of the scope `profile`: of a client without that scope, they would stop every sign-in.
    pub profile_entries: &'static [(&'static str, &'static str)],
}

const OPAQUE: Preset = Preset {
    type_: "Opaque",
    labels: &[],
    entries: &[],
    profile_entries: &[],
};

/// Without a format: for `envFrom`.
const ENVIRONMENT: Preset = Preset {
    entries: &[
        ("AUTHORIZATION_ENDPOINT", "{{ authorizationEndpoint }}"),
        ("CLIENT_ID", "{{ clientId }}"),
        ("CLIENT_SECRET", "{{ clientSecret }}"),
        ("ISSUER", "{{ issuer }}"),
        ("JWKS_URI", "{{ jwksUri }}"),
        ("TOKEN_ENDPOINT", "{{ tokenEndpoint }}"),
    ],
    ..OPAQUE
};

const ARGO_CD: Preset = Preset {
    labels: &[("app.kubernetes.io/part-of", "argocd")],
    entries: &[
        ("oidc.clientID", "{{ clientId }}"),
        ("oidc.clientSecret", "{{ clientSecret }}"),
        ("oidc.issuer", "{{ issuer }}"),
    ],
    ..OPAQUE
};

const ENVOY_GATEWAY: Preset = Preset {
    entries: &[
        ("client-id", "{{ clientId }}"),
        ("client-secret", "{{ clientSecret }}"),
    ],
    ..OPAQUE
};

const GRAFANA: Preset = Preset {
    entries: &[
        ("GF_AUTH_GENERIC_OAUTH_API_URL", "{{ userinfoEndpoint }}"),
        (
            "GF_AUTH_GENERIC_OAUTH_AUTH_URL",
            "{{ authorizationEndpoint }}",
        ),
        ("GF_AUTH_GENERIC_OAUTH_CLIENT_ID", "{{ clientId }}"),
        ("GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET", "{{ clientSecret }}"),
        ("GF_AUTH_GENERIC_OAUTH_ENABLED", "true"),
        // What stands on the button.
        ("GF_AUTH_GENERIC_OAUTH_NAME", "Clientele"),
        ("GF_AUTH_GENERIC_OAUTH_SCOPES", "{{ scopes }}"),
        ("GF_AUTH_GENERIC_OAUTH_TOKEN_URL", "{{ tokenEndpoint }}"),
        ("GF_AUTH_GENERIC_OAUTH_USE_PKCE", "true"),
    ],
    profile_entries: &[(
        "GF_AUTH_GENERIC_OAUTH_LOGIN_ATTRIBUTE_PATH",
        "preferred_username",
    )],
    ..OPAQUE
};

const OAUTH2_PROXY: Preset = Preset {
    entries: &[
        ("client-id", "{{ clientId }}"),
        ("client-secret", "{{ clientSecret }}"),
        ("cookie-secret", "{{ cookieSecret }}"),
    ],
    ..OPAQUE
};

const SERVICE_BINDING: Preset = Preset {
    type_: "servicebinding.io/oauth2",
    labels: &[],
    entries: &[
        ("authorization-uri", "{{ authorizationEndpoint }}"),
        ("client-id", "{{ clientId }}"),
        ("client-secret", "{{ clientSecret }}"),
        ("issuer-uri", "{{ issuer }}"),
        ("jwk-set-uri", "{{ jwksUri }}"),
        ("provider", "clientele"),
        ("scope", "{{ scopes | csv }}"),
        ("token-uri", "{{ tokenEndpoint }}"),
        ("type", "oauth2"),
        ("user-info-uri", "{{ userinfoEndpoint }}"),
    ],
    profile_entries: &[],
};

const SPRING_BOOT: Preset = Preset {
    entries: &[
        (
            "SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_OIDC_ISSUERURI",
            "{{ issuer }}",
        ),
        (
            "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_CLIENTID",
            "{{ clientId }}",
        ),
        (
            "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_CLIENTSECRET",
            "{{ clientSecret }}",
        ),
        (
            "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_SCOPE",
            "{{ scopes | csv }}",
        ),
    ],
    profile_entries: &[(
        "SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_OIDC_USERNAMEATTRIBUTE",
        "preferred_username",
    )],
    ..OPAQUE
};

/// The preset of a format.
pub fn preset(format: Option<SecretFormat>) -> Preset {
    match format {
        None => ENVIRONMENT,
        Some(SecretFormat::ArgoCD) => ARGO_CD,
        Some(SecretFormat::Bare) => OPAQUE,
        Some(SecretFormat::EnvoyGateway) => ENVOY_GATEWAY,
        Some(SecretFormat::Grafana) => GRAFANA,
        Some(SecretFormat::OAuth2Proxy) => OAUTH2_PROXY,
        Some(SecretFormat::ServiceBinding) => SERVICE_BINDING,
        Some(SecretFormat::SpringBoot) => SPRING_BOOT,
    }
}
