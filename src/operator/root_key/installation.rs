//! The marks of the installation, in a ConfigMap: what has to be remembered even if everything else is lost.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ObjectMeta;
use kube::{Api, ResourceExt};

use crate::apply::params;
use crate::context::Context;
use crate::domain::client::secret::MANAGED_BY;
use crate::error::Error;
use crate::settings::INSTALLATION;

/// The marks of the installation.
pub async fn read_marks(context: &Context) -> Result<BTreeMap<String, String>, Error> {
    let api: Api<ConfigMap> = Api::namespaced(context.kube.clone(), &context.settings.namespace);
    let marks = api
        .get_opt(INSTALLATION)
        .await
        .map_err(Error::api("read the marks of the installation"))?;
    Ok(marks.and_then(|marks| marks.data).unwrap_or_default())
}

/// Adds marks; what is recorded is never changed. Others add theirs at the same time: at the first start the
/// fingerprint of the root key and the mark of the bootstrap, and another replica both.
pub async fn write_marks(context: &Context, new: BTreeMap<String, String>) -> Result<(), Error> {
    let add = |data: &mut BTreeMap<String, String>| {
        for (key, value) in &new {
            data.entry(key.clone()).or_insert_with(|| value.clone());
        }
    };
    change_marks(&context.kube, &context.settings.namespace, add).await
}

/// Changes marks, again if another replica was first.
pub async fn change_marks(
    kube: &kube::Client,
    namespace: &str,
    change: impl Fn(&mut BTreeMap<String, String>),
) -> Result<(), Error> {
    again_if_beaten(|| try_change_marks(kube, namespace, &change)).await
}

/// Tries a few times as long as another replica is first each time.
pub async fn again_if_beaten<F>(attempt: impl Fn() -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    const TRIES: u32 = 5;
    let mut written = attempt().await;
    for _ in 1..TRIES {
        if !written.as_ref().is_err_and(Error::is_conflict) {
            break;
        }
        written = attempt().await;
    }
    written
}

/// Changes marks, once.
pub async fn try_change_marks(
    kube: &kube::Client,
    namespace: &str,
    change: impl Fn(&mut BTreeMap<String, String>),
) -> Result<(), Error> {
    const DOING: &str = "record the marks of the installation";
    let api: Api<ConfigMap> = Api::namespaced(kube.clone(), namespace);
    let Some(mut marks) = api.get_opt(INSTALLATION).await.map_err(Error::api(DOING))? else {
        let mut data = BTreeMap::new();
        change(&mut data);
        let marks = ConfigMap {
            metadata: ObjectMeta {
                name: Some(INSTALLATION.to_owned()),
                labels: Some([(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned())].into()),
                ..ObjectMeta::default()
            },
            data: Some(data),
            ..ConfigMap::default()
        };
        let created = api.create(&params(), &marks).await;
        return created.map(drop).map_err(conflict_or(DOING));
    };
    change(marks.data.get_or_insert_default());
    let name = marks.name_any();
    let replaced = api.replace(&name, &params(), &marks).await;
    replaced.map(drop).map_err(conflict_or(DOING))
}

/// Another replica was first, be it with a change or with the creation.
fn conflict_or(doing: &'static str) -> impl FnOnce(kube::Error) -> Error {
    move |error| match &error {
        kube::Error::Api(status) if status.is_already_exists() => Error::Conflict(doing),
        _ => Error::api(doing)(error),
    }
}

/// The mark that says that it was done.
pub const MARK: (&str, &str) = ("bootstrapped", "true");
/// The mark that says that the client of the dashboard was made.
pub const DASHBOARD_MARK: (&str, &str) = ("dashboard-client", "created");
