//! The API server as another user sees it: a tenant, an administrator, the operator itself.

use kube::config::{AuthInfo, Kubeconfig};

use super::cluster::{Cluster, kube_config};
use super::operator::service_account_kubeconfig;

/// A connection as this user of these groups, by impersonation.
pub async fn person(cluster: &Cluster, user: &str, groups: &[&str]) -> kube::Client {
    let mut config = Kubeconfig::read_from(&cluster.kubeconfig).unwrap();
    for named in &mut config.auth_infos {
        let info = named.auth_info.get_or_insert_with(AuthInfo::default);
        info.impersonate = Some(user.to_owned());
        info.impersonate_groups = Some(groups.iter().map(|&group| group.to_owned()).collect());
    }
    connect(config).await
}

/// A connection with the real token of the operator's ServiceAccount.
pub async fn operator(cluster: &Cluster) -> kube::Client {
    connect(Kubeconfig::from_yaml(&service_account_kubeconfig(cluster)).unwrap()).await
}

/// A connection with this bearer token.
pub async fn bearer(cluster: &Cluster, token: &str) -> kube::Client {
    connect(bearer_kubeconfig(cluster, token)).await
}

/// A kubeconfig with this bearer token and nothing else.
pub fn bearer_kubeconfig(cluster: &Cluster, token: &str) -> Kubeconfig {
    let mut config = Kubeconfig::read_from(&cluster.kubeconfig).unwrap();
    for named in &mut config.auth_infos {
        named.auth_info = Some(AuthInfo {
            token: Some(token.to_owned().into()),
            ..AuthInfo::default()
        });
    }
    config
}

async fn connect(config: Kubeconfig) -> kube::Client {
    kube::Client::try_from(kube_config(config).await).unwrap()
}

/// The sentence with which the API server refused.
pub fn sentence<T>(answer: kube::Result<T>) -> Result<T, String> {
    answer.map_err(|error| match error {
        kube::Error::Api(status) => status.message.clone(),
        other => panic!("the API server did not answer: {other}"),
    })
}
