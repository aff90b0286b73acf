//! The OAuthClient of the dashboard: made once per installation. Deleting it sticks, and what people change in it stays.

use clientele_api::client::GrantType;
use clientele_api::{DEFAULT_TENANT, DurationString, Lifetimes, OAuthClient, OAuthClientSpec};
use kube::Api;

use super::{Bootstrap, RETRY, create};
use crate::error::Error;
use crate::root_key::installation::{DASHBOARD_MARK, read_marks, write_marks};

/// The name of the client, in the operator's namespace.
pub const DASHBOARD_CLIENT: &str = "clientele-dashboard";

/// What the dashboard may ask for: who the person is, by the name and the groups that the API server knows.
const SCOPES: [&str; 3] = ["openid", "profile", "groups"];

/// Makes it if there is to be a dashboard, unless the mark says that it was made before. Tries until it is done.
pub async fn bootstrap(shared: &Bootstrap) {
    let Some(url) = &shared.context.settings.dashboard_url else {
        return;
    };
    loop {
        match try_bootstrap(shared, url).await {
            Ok(true) => return,
            // Another replica makes it.
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "could not create the client of the dashboard, will retry");
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Whether it is done.
async fn try_bootstrap(shared: &Bootstrap, url: &str) -> Result<bool, Error> {
    const DOING: &str = "create the client of the dashboard";
    let context = &shared.context;
    let namespace = &context.settings.namespace;
    let clients: Api<OAuthClient> = Api::namespaced(context.kube.clone(), namespace);
    if !read_marks(context).await?.contains_key(DASHBOARD_MARK.0) {
        if !shared.leader.is_ours() {
            return Ok(false);
        }
        create(&clients, &client(url), DOING).await?;
        let mark = DASHBOARD_MARK;
        write_marks(context, [(mark.0.to_owned(), mark.1.to_owned())].into()).await?;
    }
    let found = clients.get_opt(DASHBOARD_CLIENT).await;
    let found = found.map_err(Error::api("read the client of the dashboard"))?;
    if let Some(problem) = problem(found.as_ref(), url) {
        tracing::warn!(
            "users cannot sign in to the dashboard: OAuthClient {namespace}/{DASHBOARD_CLIENT} {problem}"
        );
    }
    Ok(true)
}

/// Why the dashboard cannot use the client, with the remedy. The client belongs to those who changed it, so it is only
/// reported.
fn problem(found: Option<&OAuthClient>, url: &str) -> Option<String> {
    let callback = callback(url);
    let Some(client) = found else {
        return Some(format!(
            "was deleted, and the operator does not create it again; apply one with the redirect URI {callback}, as in the README of the chart"
        ));
    };
    let leads_back = client.spec.redirect_uris.contains(&callback);
    (!leads_back).then(|| {
        format!(
            "does not have the redirect URI of --dashboard-url; add {callback} to spec.redirectUris"
        )
    })
}

fn callback(url: &str) -> String {
    format!("{url}/callback")
}

/// A client of the first party that signs people in, and asks neither for consent nor for a token that outlives the session.
fn client(url: &str) -> OAuthClient {
    OAuthClient::new(
        DASHBOARD_CLIENT,
        OAuthClientSpec {
            display_name: Some("Clientele dashboard".to_owned()),
            tenant: DEFAULT_TENANT.to_owned(),
            first_party: true,
            redirect_uris: vec![callback(url)],
            post_logout_redirect_uris: vec![format!("{url}/")],
            require_pkce: Some(true),
            grant_types: Some(vec![GrantType::AuthorizationCode]),
            scopes: Some(SCOPES.map(str::to_owned).to_vec()),
            lifetimes: Some(Box::new(Lifetimes {
                id_token: Some(DurationString("10m".to_owned())),
                ..Lifetimes::default()
            })),
            ..OAuthClientSpec::default()
        },
    )
}

#[cfg(test)]
mod tests;
