//! What a person may list: everything, else the namespaces that access reviews allow, else those that the person typed.

use axum::http::StatusCode;
use futures::StreamExt;
use futures::stream;

use crate::cluster::table::RowList;
use crate::cluster::{Cluster, Kind};
use crate::problem::Problem;

/// Requests at once where each namespace is asked for.
pub const AT_ONCE: usize = 16;
/// The most namespaces whose access is reviewed: a cluster with more needs a right to list in all of them.
const MOST_NAMESPACES: usize = 2_000;

/// Which namespaces a person sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those in which the person may list clients.
    Allowed(Vec<String>),
    /// The person may not list namespaces either: those that the person typed, and that of the kubeconfig.
    Typed(Vec<String>),
}

/// The lists that a person may see.
pub struct Found {
    /// What they cover.
    pub scope: Scope,
    /// Each with its namespace; one without where it is the whole cluster.
    pub lists: Vec<(Option<String>, RowList)>,
    /// Namespaces that refuse to be listed, with the reason.
    pub refused: Vec<(String, Problem)>,
    /// How many namespaces were not looked at.
    pub left_out: usize,
}

/// Lists what the person may see. `typed` counts only where the person may list neither everywhere nor namespaces.
pub async fn discover(cluster: &Cluster, typed: &[String]) -> Result<Found, Problem> {
    match cluster.table(None).await {
        Ok(listed) => {
            return Ok(Found {
                scope: Scope::All,
                lists: vec![(None, listed)],
                refused: Vec::new(),
                left_out: 0,
            });
        }
        Err(problem) if problem.status == StatusCode::FORBIDDEN => {}
        Err(problem) => return Err(problem),
    }
    let (scope, left_out) = match allowed_namespaces(cluster).await? {
        Some((allowed, left_out)) => (Scope::Allowed(allowed), left_out),
        None => (Scope::Typed(typed.to_vec()), 0),
    };
    let namespaces = match &scope {
        Scope::All => Vec::new(),
        Scope::Allowed(namespaces) | Scope::Typed(namespaces) => namespaces.clone(),
    };
    let answers: Vec<(String, Result<RowList, Problem>)> = stream::iter(namespaces)
        .map(|namespace| async move {
            let listed = cluster.table(Some(&namespace)).await;
            (namespace, listed)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let (mut lists, mut refused) = (Vec::new(), Vec::new());
    for (namespace, answer) in answers {
        match answer {
            Ok(listed) => lists.push((Some(namespace), listed)),
            Err(problem) => refused.push((namespace, problem)),
        }
    }
    Ok(Found {
        scope,
        lists,
        refused,
        left_out,
    })
}

/// The namespaces, and how many were not looked at. `None` if the person may not list namespaces, or may list clients in
/// none of them.
async fn allowed_namespaces(cluster: &Cluster) -> Result<Option<(Vec<String>, usize)>, Problem> {
    let namespaces = match cluster.list(Kind::Namespace, None, "").await {
        Ok(namespaces) => namespaces,
        Err(problem) if problem.status == StatusCode::FORBIDDEN => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let names = namespaces.iter().map(clientele_kubectl::shared::name);
    let (names, left_out) = reviewed(names.map(str::to_owned).collect());
    let allowed: Vec<String> = stream::iter(names)
        .map(|namespace| async move {
            let may = cluster
                .may("list", Kind::Client, Some(&namespace), "")
                .await;
            may.then_some(namespace)
        })
        .buffered(AT_ONCE)
        .filter_map(futures::future::ready)
        .collect()
        .await;
    Ok(Some((allowed, left_out)).filter(|(allowed, _)| !allowed.is_empty()))
}

/// Those whose access is reviewed, and how many more there are.
fn reviewed(mut namespaces: Vec<String>) -> (Vec<String>, usize) {
    let left_out = namespaces.len().saturating_sub(MOST_NAMESPACES);
    namespaces.truncate(MOST_NAMESPACES);
    (namespaces, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_that_are_left_out_are_counted() {
        let many = |count: usize| (0..count).map(|number| format!("n{number}")).collect();
        let (names, left_out) = reviewed(many(MOST_NAMESPACES + 3));
        assert_eq!((names.len(), left_out), (MOST_NAMESPACES, 3));
        let (names, left_out) = reviewed(many(MOST_NAMESPACES));
        assert_eq!((names.len(), left_out), (MOST_NAMESPACES, 0));
    }
}
