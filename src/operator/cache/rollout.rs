//! What every replica has to serve before it is said to be ready.
//!
//! Replicas tell each other through the store, which this folder does not know: values are carried in `run/`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_api::OAuthClient;
use clientele_oauth::client::served_versions::Versions;
use kube::ResourceExt;
use tokio::sync::{mpsc, watch};

use super::place::Place;

/// What this replica serves, and what is known of the others.
#[derive(Debug)]
pub struct Rollout {
    among_several: bool,
    state: watch::Sender<State>,
    queue: mpsc::UnboundedSender<Place>,
}

#[derive(Debug, Default)]
struct State {
    /// What this replica serves, and no status says so yet.
    served: Versions,
    /// What passes wait for.
    awaited: HashMap<String, Awaited>,
    /// What every replica serves, as last heard.
    common: Versions,
}

/// A version of an object for which a reconcile waits.
#[derive(Debug)]
struct Awaited {
    generation: i64,
    object: Place,
    since: Instant,
    /// Why it takes long, if it does.
    late: Option<Arc<str>>,
}

/// Whether every replica serves a version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolloutStatus {
    /// They do.
    Yes,
    /// There is another pass when they do, or when it takes long.
    NotYet,
    /// It takes long, for this reason. There is another pass when they do.
    Late(Arc<str>),
}

impl Rollout {
    /// Nothing is served yet. A replica that is alone agrees with itself.
    pub fn new(among_several: bool, queue: mpsc::UnboundedSender<Place>) -> Self {
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
                .retain(|registration, one| served.get(registration) == Some(&one.generation));
            state.served = served;
            true
        });
    }

    /// The same of some clients alone: the version of each that is served and not said yet, or that there is none.
    pub fn serve_some(&self, versions: impl Iterator<Item = (String, Option<i64>)>) {
        if !self.among_several {
            return;
        }
        self.state.send_if_modified(|state| {
            let mut changed = false;
            for (registration, version) in versions {
                if state.served.get(&registration).copied() == version {
                    continue;
                }
                changed = true;
                let awaited = state.awaited.get(&registration);
                if awaited.is_some_and(|one| Some(one.generation) != version) {
                    state.awaited.remove(&registration);
                }
                state.served.remove(&registration);
                state
                    .served
                    .extend(version.map(|version| (registration, version)));
            }
            changed
        });
    }

    /// Whether every replica serves this version of an object.
    pub fn is_reached(&self, object: &OAuthClient) -> RolloutStatus {
        let registration = object.uid().unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        if !self.among_several {
            return RolloutStatus::Yes;
        }
        let mut reached = RolloutStatus::Yes;
        self.state.send_if_modified(|state| {
            let common = state.common.get(&registration);
            if common.is_some_and(|common| *common >= generation) {
                return false;
            }
            reached = RolloutStatus::NotYet;
            // Of another version than this there is another verdict, and with it another pass.
            if state.served.get(&registration) != Some(&generation) {
                return false;
            }
            let known = state.awaited.get(&registration);
            if let Some(known) = known.filter(|known| known.generation == generation) {
                reached = known
                    .late
                    .clone()
                    .map_or(RolloutStatus::NotYet, RolloutStatus::Late);
                return false;
            }
            let awaited = Awaited {
                generation,
                object: Place::of(object),
                since: Instant::now(),
                late: None,
            };
            state.awaited.insert(registration, awaited).is_none()
        });
        reached
    }

    /// A version of a client that is waited for longer than that: the one that is waited for longest.
    pub fn awaited_for(&self, long: Duration) -> Option<(String, i64)> {
        let state = self.state.borrow();
        let (registration, longest) = state.awaited.iter().min_by_key(|(_, one)| one.since)?;
        let is_long = longest.since.elapsed() > long;
        is_long.then(|| (registration.clone(), longest.generation))
    }

    /// Says of everything that is waited for longer than that why it takes so long.
    pub fn explain(&self, long: Duration, why: &str) {
        self.state.send_if_modified(|state| {
            for one in state.awaited.values_mut() {
                if one.since.elapsed() > long && one.late.as_deref() != Some(why) {
                    one.late = Some(why.into());
                    // Fails only when the controller has ended, and then there is nothing left to do.
                    let _ = self.queue.send(one.object.clone());
                }
            }
            false
        });
    }

    /// What this replica serves, and no status says so yet.
    pub fn served(&self) -> Versions {
        self.state.borrow().served.clone()
    }

    /// Whether a reconcile waits.
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
            state.awaited.retain(|registration, one| {
                let waits = common
                    .get(registration)
                    .is_none_or(|common| *common < one.generation);
                if !waits {
                    // Fails only when the controller has ended, and then there is nothing left to do.
                    let _ = self.queue.send(one.object.clone());
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
    use crate::tests::object;
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
        let agreement = Rollout::new(true, queue);
        agreement.serve(versions(&[("uid", 2)]).into_iter());
        assert_eq!(agreement.is_reached(&web(2)), RolloutStatus::NotYet);
        assert!(agreement.is_awaited());
        agreement.reach(versions(&[("uid", 1), ("other", 9)]));
        assert!(asked.try_recv().is_err() && agreement.is_awaited());
        agreement.reach(versions(&[("uid", 2)]));
        assert_eq!(&*asked.try_recv().unwrap().name, "web");
        assert!(!agreement.is_awaited());
        assert_eq!(agreement.is_reached(&web(2)), RolloutStatus::Yes);
        assert_eq!(
            agreement.is_reached(&web(3)),
            RolloutStatus::NotYet,
            "a later one"
        );
    }

    #[test]
    fn what_is_told_of_some_clients_leaves_the_others() {
        let rollout = Rollout::new(true, mpsc::unbounded_channel().0);
        rollout.serve(versions(&[("uid", 2), ("other", 1)]).into_iter());
        assert_eq!(rollout.is_reached(&web(2)), RolloutStatus::NotYet);
        let some = [("new".to_owned(), Some(1)), ("other".to_owned(), None)];
        rollout.serve_some(some.into_iter());
        assert_eq!(rollout.served(), versions(&[("uid", 2), ("new", 1)]));
        assert!(rollout.is_awaited());
        rollout.serve_some([("uid".to_owned(), Some(3))].into_iter());
        assert!(!rollout.is_awaited(), "another version is another pass");
        let mut changes = rollout.changes();
        changes.mark_unchanged();
        rollout.serve_some([("uid".to_owned(), Some(3))].into_iter());
        assert!(
            !changes.has_changed().unwrap(),
            "no waiter is woken for nothing"
        );
    }

    #[test]
    fn nobody_waits_for_what_is_not_served_any_more() {
        let (queue, mut asked) = mpsc::unbounded_channel();
        let agreement = Rollout::new(true, queue);
        agreement.serve(versions(&[("uid", 2)]).into_iter());
        assert_eq!(agreement.is_reached(&web(2)), RolloutStatus::NotYet);
        agreement.serve(versions(&[]).into_iter());
        assert!(!agreement.is_awaited());
        agreement.reach(versions(&[("uid", 2)]));
        assert!(asked.try_recv().is_err());
        let of_before = agreement.is_reached(&web(3));
        assert_eq!(
            of_before,
            RolloutStatus::NotYet,
            "a reconcile that began before it went"
        );
        assert!(!agreement.is_awaited());
    }

    #[test]
    fn whoever_waits_long_is_told_why_once_and_again_when_it_is_another_reason() {
        let (queue, mut asked) = mpsc::unbounded_channel();
        let agreement = Rollout::new(true, queue);
        agreement.serve(versions(&[("uid", 2)]).into_iter());
        assert_eq!(agreement.is_reached(&web(2)), RolloutStatus::NotYet);
        assert_eq!(agreement.awaited_for(Duration::from_hours(1)), None);
        agreement.explain(Duration::from_hours(1), "not long");
        assert!(asked.try_recv().is_err());
        let longest = agreement.awaited_for(Duration::ZERO);
        assert_eq!(longest, Some(("uid".to_owned(), 2)));
        for why in ["one sleeps", "another sleeps"] {
            agreement.explain(Duration::ZERO, why);
            agreement.explain(Duration::ZERO, why);
            assert_eq!(&*asked.try_recv().unwrap().name, "web");
            assert!(asked.try_recv().is_err());
            assert_eq!(
                agreement.is_reached(&web(2)),
                RolloutStatus::Late(why.into())
            );
        }
        assert_eq!(agreement.is_reached(&web(3)), RolloutStatus::NotYet);
    }

    #[test]
    fn who_is_alone_agrees_with_itself() {
        let (queue, _) = mpsc::unbounded_channel();
        let agreement = Rollout::new(false, queue);
        assert_eq!(agreement.is_reached(&web(1)), RolloutStatus::Yes);
        assert!(agreement.served().is_empty() && !agreement.is_awaited());
    }
}
