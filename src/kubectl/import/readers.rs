//! The reader of each source.

use super::documents::Documents;
use super::model::Import;
use super::settings::Settings;
use super::{authelia, authentik, dex, kaniop, keycloak, keycloak_cr, maester, pocket_id};
use crate::args::Source;
use crate::failure::Failure;

/// Reads the documents of a source.
pub fn read(source: Source, input: &Documents, settings: &Settings) -> Result<Import, Failure> {
    let mut import = Import::new(source_name(source));
    match source {
        Source::Maester => maester::read(input, settings, &mut import),
        Source::Keycloak => keycloak::read(input, settings, &mut import),
        Source::KeycloakCr => keycloak_cr::read(input, settings, &mut import),
        Source::Dex => dex::read(input, settings, &mut import),
        Source::Kaniop => kaniop::read(input, settings, &mut import),
        Source::PocketId => pocket_id::read(input, settings, &mut import),
        Source::Authentik => authentik::read(input, settings, &mut import),
        Source::Authelia => authelia::read(input, settings, &mut import),
    }
    if import.clients.is_empty() && import.users.is_empty() && import.skipped.is_empty() {
        return Err(Failure::new(format!(
            "there is nothing of {} in these files; {}",
            import.source,
            expected(source)
        )));
    }
    for client in &import.clients {
        if let Some(spec) = &client.spec {
            let needs = &mut import.needs;
            needs.add_client(&client.namespace, &client.name, spec);
        }
    }
    for user in import.users.iter().filter(|user| user.spec.is_some()) {
        import.needs.add_user(&user.namespace);
    }
    Ok(import.sorted())
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Maester => "hydra-maester",
        Source::Keycloak => "Keycloak",
        Source::KeycloakCr => "Keycloak operators",
        Source::Dex => "Dex",
        Source::Kaniop => "kaniop",
        Source::PocketId => "Pocket ID operator",
        Source::Authentik => "authentik",
        Source::Authelia => "Authelia",
    }
}

/// What the files of a source look like.
fn expected(source: Source) -> &'static str {
    match source {
        Source::Maester => {
            "they come from `kubectl get oauth2clients.hydra.ory.sh,secrets --all-namespaces --output yaml`"
        }
        Source::Keycloak => {
            "they come from `kc.sh export --realm REALM --users realm_file --file realm.json`"
        }
        Source::KeycloakCr => {
            "they come from `kubectl get keycloakclients,secrets --all-namespaces --output yaml`"
        }
        Source::Dex => {
            "it is the configuration of Dex with staticClients, or comes from `kubectl get oauth2clients.dex.coreos.com,passwords.dex.coreos.com --output yaml`"
        }
        Source::Kaniop => {
            "they come from `kubectl get kanidmoauth2clients,secrets --all-namespaces --output yaml`"
        }
        Source::PocketId => {
            "they come from `kubectl get pocketidoidcclients,secrets --all-namespaces --output yaml`"
        }
        Source::Authentik => {
            "it is a blueprint, as `ak export_blueprint` writes it, with entries of authentik_providers_oauth2.oauth2provider"
        }
        Source::Authelia => {
            "they are users_database.yml, or configuration.yml with identity_providers.oidc.clients"
        }
    }
}
