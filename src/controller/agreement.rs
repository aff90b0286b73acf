//! What every replica has to serve before it is said to be ready.
//!
//! Replicas tell each other through the store, which this folder does not know: values are carried in `run/`.

use std::collections::HashMap;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::{mpsc, watch};

use crate::api::OAuthClient;
use crate::oauth::versions::Versions;

/// What this replica serves, and what is known of the others.
#[derive(Debug)]
pub struct Agreement {
    among_several: bool,
    state: watch::Sender<State>,
    queue: mpsc::UnboundedSender<ObjectRef<OAuthClient>>,
}

#[derive(Debug, Default)]
struct State {
    /// What this replica serves, and no status says so yet.
    served: Versions,
    /// What passes wait for.
    awaited: HashMap<String, (i64, ObjectRef<OAuthClient>)>,
    /// What every replica serves, as last heard.
    common: Versions,
}

impl Agreement {
    /// Nothing is served yet. A replica that is alone agrees with itself.
    pub fn new(among_several: bool, queue: mpsc::UnboundedSender<ObjectRef<OAuthClient>>) -> Self {
        Self {
            among_several,
            state: watch::Sender::default(),
            queue,
        }
    }

    /// Takes in what this replica serves from now on, and no status says so yet.
    pub fn serve(&self, versions: impl Iterator<Item = (String, i64)>) {
        if !self.among_several {
            return;
        }
        let served: Versions = versions.collect();
        self.state.send_if_modified(|state| {
            if state.served == served {
                return false;
            }
            state
                .awaited
                .retain(|registration, (version, _)| served.get(registration) == Some(version));
            state.served = served;
            true
        });
    }

    /// Whether every replica serves this version of an object. If not, there is another pass when they do.
    pub fn is_reached(&self, object: &OAuthClient) -> bool {
        let registration = object.uid().unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        if !self.among_several {
            return true;
        }
        let mut reached = false;
        self.state.send_if_modified(|state| {
            let common = state.common.get(&registration);
            reached = common.is_some_and(|common| *common >= generation);
            // Of another version than this there is another verdict, and with it another pass.
            if reached || state.served.get(&registration) != Some(&generation) {
                return false;
            }
            let awaited = (generation, ObjectRef::from_obj(object));
            state.awaited.insert(registration, awaited).is_none()
        });
        reached
    }

    /// What this replica serves, and no status says so yet.
    pub fn served(&self) -> Versions {
        self.state.borrow().served.clone()
    }

    /// Whether a pass waits.
    pub fn is_awaited(&self) -> bool {
        !self.state.borrow().awaited.is_empty()
    }

    /// Tells when one of the two may have changed.
    pub fn changes(&self) -> watch::Receiver<impl Sized + use<>> {
        self.state.subscribe()
    }

    /// Takes in what every replica serves, and asks for the passes that wait for it.
    pub fn reach(&self, common: Versions) {
        self.state.send_if_modified(|state| {
            state.awaited.retain(|registration, (version, object)| {
                let waits = common
                    .get(registration)
                    .is_none_or(|common| common < version);
                if !waits {
                    // Fails only when the controller has ended, and then there is nothing left to do.
                    let _ = self.queue.send(object.clone());
                }
                waits
            });
            state.common = common;
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::tests::object;
    use serde_json::json;

    fn versions(of: &[(&str, i64)]) -> Versions {
        let versions = of.iter().map(|(name, g)| ((*name).to_owned(), *g));
        versions.collect()
    }

    fn web(generation: i64) -> OAuthClient {
        let mut web = object("web", json!({}));
        web.metadata.uid = Some("uid".to_owned());
        web.metadata.generation = Some(generation);
        web
    }

    #[test]
    fn a_pass_waits_until_every_replica_serves_its_version() {
        let (queue, mut asked) = mpsc::unbounded_channel();
        let agreement = Agreement::new(true, queue);
        agreement.serve(versions(&[("uid", 2)]).into_iter());
        assert!(!agreement.is_reached(&web(2)));
        assert!(agreement.is_awaited());
        agreement.reach(versions(&[("uid", 1), ("other", 9)]));
        assert!(asked.try_recv().is_err() && agreement.is_awaited());
        agreement.reach(versions(&[("uid", 2)]));
        assert_eq!(asked.try_recv().unwrap().name, "web");
        assert!(!agreement.is_awaited() && agreement.is_reached(&web(2)));
        assert!(!agreement.is_reached(&web(3)), "a later manifest");
    }

    #[test]
    fn nobody_waits_for_what_is_not_served_any_more() {
        let (queue, mut asked) = mpsc::unbounded_channel();
        let agreement = Agreement::new(true, queue);
        agreement.serve(versions(&[("uid", 2)]).into_iter());
        assert!(!agreement.is_reached(&web(2)));
        agreement.serve(versions(&[]).into_iter());
        assert!(!agreement.is_awaited());
        agreement.reach(versions(&[("uid", 2)]));
        assert!(asked.try_recv().is_err());
        let is_reached = agreement.is_reached(&web(3));
        assert!(!is_reached, "a pass that began before it went");
        assert!(!agreement.is_awaited());
    }

    #[test]
    fn who_is_alone_agrees_with_itself() {
        let (queue, _) = mpsc::unbounded_channel();
        let agreement = Agreement::new(false, queue);
        assert!(agreement.is_reached(&web(1)));
        assert!(agreement.served().is_empty() && !agreement.is_awaited());
    }
}
