//! The HTTP endpoints, from the enum that routes requests, and the error codes, from theirs.

use syn::visit::Visit;

use crate::messages::help;
use crate::project::Project;

use super::head;

const SOURCE: &str = "src/oauth/registry.rs";
const ERRORS: &str = "src/oauth/error.rs";

/// The methods of each endpoint, by its variant.
const METHODS: [(&str, &str); 13] = [
    ("Metadata", "GET, HEAD"),
    ("Jwks", "GET, HEAD"),
    ("Token", "POST"),
    ("Authorize", "GET, POST"),
    ("Login", "GET, HEAD, POST"),
    ("Consent", "GET, HEAD, POST"),
    ("Userinfo", "GET, POST"),
    ("Revoke", "POST"),
    ("Introspect", "POST"),
    ("Logout", "GET, POST"),
    ("Account", "GET, HEAD, POST"),
    ("Stylesheet", "GET, HEAD"),
    ("Logo", "GET, HEAD"),
];

/// The variants of an enum with their doc comments.
struct Variants {
    of: &'static str,
    found: Vec<(String, String)>,
}

impl Variants {
    fn of(project: &Project, source: &str, of: &'static str) -> Vec<(String, String)> {
        let found = Vec::new();
        let mut variants = Self { of, found };
        let file = syn::parse_file(&project.files[source]);
        variants.visit_file(&file.unwrap_or_else(|error| panic!("{source}: {error}")));
        variants.found
    }
}

impl<'ast> Visit<'ast> for Variants {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if item.ident == self.of {
            let variants = item.variants.iter().map(|variant| {
                let text = help::paragraphs(&variant.attrs).join(" ");
                (variant.ident.to_string(), text)
            });
            self.found.extend(variants);
        }
    }
}

/// The page.
pub fn page(project: &Project) -> String {
    let mut page = head("HTTP endpoints", &format!("`{SOURCE}` and `{ERRORS}`"));
    page.push_str(
        "Paths are below the issuer of the tenant: the public URL for the tenant `default`, `<public URL>/t/<name>` for another.\n\
        Clients find them in the metadata and do not build them.\n\n\
        | path | methods | what it is |\n|---|---|---|\n",
    );
    for (variant, meaning) in Variants::of(project, SOURCE, "Endpoint") {
        let methods = METHODS.iter().find(|(name, _)| *name == variant);
        let (_, methods) = methods.unwrap_or_else(|| panic!("{variant} is not in METHODS"));
        let paths = paths(project, &variant);
        page.push_str(&format!("| {paths} | {methods} | {meaning} |\n"));
    }
    page.push_str(
        "\nThe public port answers two more paths, whatever the tenants are:\n\n\
        | path | what it is |\n|---|---|\n\
        | `/healthz` | for load balancers, under any Host: 200 while the replica is ready, 503 while it starts or stops |\n\
        | `/`, and each issuer | a browser is led to the page `/account` of that tenant, at `/` of the tenant `default` |\n",
    );
    page.push_str(
        "\nThe admin listener (port 8081) is not for the public:\n\n\
        | path | what it is |\n|---|---|\n\
        | `/livez` | 200 while the process runs |\n\
        | `/readyz` | 200 once the replica serves what the cluster says; else 503 and what it waits for |\n\
        | `/metrics` | [metrics](metrics.md) in the format of Prometheus |\n",
    );
    page.push_str(
        "\n## Error codes\n\n\
        The member `error` of an answer, or the parameter of a redirect. `error_description` says what to change; it may be reworded, so compare the code.\n\n\
        | code | meaning |\n|---|---|\n",
    );
    for (variant, meaning) in Variants::of(project, ERRORS, "ErrorCode") {
        page.push_str(&format!("| `{}` | {meaning} |\n", code(&variant)));
    }
    page
}

/// `InvalidGrant` as `invalid_grant`.
fn code(variant: &str) -> String {
    let mut code = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(letter.to_ascii_lowercase());
    }
    code
}

/// The rows `(Self::Jwks, "/jwks")`.
fn paths(project: &Project, variant: &str) -> String {
    if variant == "Metadata" {
        return "`/.well-known/openid-configuration`; `/.well-known/oauth-authorization-server`, \
            inserted between the host and the path of the issuer"
            .to_owned();
    }
    let production = project.production();
    let modules = production.filter(|module| module.file == SOURCE);
    let mut found = modules.flat_map(|module| {
        let rows = module.code.tokens.windows(5);
        rows.filter(move |row| {
            row[0].text == "Self" && row[2].text == variant && row[3].text == ","
        })
        .filter_map(|row| row[4].literal.clone())
    });
    let path = found
        .next()
        .unwrap_or_else(|| panic!("{variant} has no path"));
    format!("`{path}`")
}
