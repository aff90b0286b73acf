//! The presets: the samples of deploy/samples, as they are.

/// A kind of application.
pub struct Preset {
    /// Its name: the file without its ending.
    pub name: &'static str,
    /// The manifest.
    pub manifest: &'static str,
}

macro_rules! presets {
    ($($name:literal),* $(,)?) => {
        &[$(Preset {
            name: $name,
            manifest: include_str!(concat!("../../../../deploy/samples/", $name, ".yaml")),
        }),*]
    };
}

/// Every preset.
pub const PRESETS: &[Preset] = presets![
    "argo-cd",
    "command-line",
    "config-file",
    "envoy-gateway",
    "grafana",
    "kubectl",
    "machine",
    "mcp",
    "oauth2-proxy",
    "retained-secret",
    "rotated",
    "secretless",
    "service-binding",
    "single-page-app",
    "spring-boot",
    "web-app",
];

impl Preset {
    /// The comment at the beginning of the file.
    pub fn about(&self) -> String {
        let comment = self
            .manifest
            .lines()
            .map_while(|line| line.strip_prefix('#'));
        let text: Vec<&str> = comment.map(str::trim).collect();
        let text = text.join(" ");
        text.split_inclusive(". ")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}
