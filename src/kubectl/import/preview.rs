//! What an import would bring, for a page: manifests without Secrets, and each field that is not exact.

use super::documents::Documents;
use super::folder::manifests;
use super::model::{Field, Import, Verdict};
use super::readers::read;
use super::settings::Settings;
use crate::args::Source;
use crate::failure::Failure;

/// What would come of a text.
pub struct Preview {
    /// The source, for people.
    pub source: &'static str,
    /// How many clients are in it.
    pub clients: usize,
    /// How many people are in it.
    pub users: usize,
    /// How many fields are exact.
    pub exact: usize,
    /// The manifests of clients and people as YAML.
    pub manifests: String,
    /// How many Secrets belong to them. Their values are not here.
    pub secrets: usize,
    /// What is changed or lost.
    pub inexact: Vec<Inexact>,
    /// Whether the tenant must allow some of it.
    pub needs_tenant: bool,
}

/// A field that is changed or lost.
pub struct Inexact {
    /// The object of the source.
    pub origin: String,
    /// The field.
    pub field: Field,
}

impl Inexact {
    /// Whether it does not come along.
    pub fn is_lost(&self) -> bool {
        self.field.verdict == Verdict::Lost
    }
}

/// Reads a text of YAML or JSON documents.
pub fn preview(source: Source, text: &str, settings: &Settings) -> Result<Preview, Failure> {
    let mut documents = Documents::default();
    documents.add("the text", text)?;
    let import = read(source, &documents, settings)?;
    let (secrets, others): (Vec<_>, Vec<_>) = manifests(&import)
        .into_iter()
        .partition(|manifest| manifest.secret);
    let mut yaml = Vec::new();
    for manifest in others {
        let text = serde_yaml::to_string(&manifest.object);
        yaml.push(text.map_err(|error| Failure::new(format!("no YAML: {error}")))?);
    }
    Ok(Preview {
        source: import.source,
        clients: import.clients.len(),
        users: import.users.len(),
        exact: import.count(Verdict::Exact),
        manifests: yaml.join("---\n"),
        secrets: secrets.len(),
        inexact: inexact(&import),
        needs_tenant: !import.needs.is_empty(),
    })
}

fn inexact(import: &Import) -> Vec<Inexact> {
    let fields = import.fields_with_origin();
    fields
        .filter(|(_, field)| field.verdict != Verdict::Exact)
        .map(|(origin, field)| Inexact {
            origin: origin.to_owned(),
            field: field.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_has_manifests_and_no_secret() {
        let text = "staticClients: [{id: web, secret: canary-of-the-secret-x, name: Web, redirectURIs: [https://web.example.com/cb]}]";
        let settings = Settings {
            namespace: "apps".to_owned(),
            tenant: "default".to_owned(),
            client_id_key: None,
            client_secret_key: None,
        };
        let seen = preview(Source::Dex, text, &settings).unwrap();
        assert_eq!((seen.clients, seen.secrets), (1, 1));
        assert!(
            seen.manifests.contains("namespace: apps"),
            "{}",
            seen.manifests
        );
        assert!(!seen.manifests.contains("canary"), "{}", seen.manifests);
        let said = preview(Source::Dex, "a: b", &settings)
            .err()
            .unwrap()
            .to_string();
        assert!(said.contains("nothing of Dex"), "{said}");
        assert!(preview(Source::Dex, ": {", &settings).is_err());
    }
}
