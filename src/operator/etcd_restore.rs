//! Whether the cluster went back in time. Its revision only rises; where it has fallen, etcd was restored from an older
//! snapshot, and a watch that goes on from an earlier revision hears nothing until that revision comes again.
//!
//! The highest version that was heard of an OAuthClient by watch is compared with what a consistent list of OAuthClients says: the versions of
//! one kind compare as numbers (KEP-5504).

use std::sync::Arc;
use std::time::Duration;

use clientele_api::OAuthClient;
use clientele_telemetry::supervisor::Supervisor;
use kube::Api;
use kube::api::ListParams;
use tokio::time::sleep;

use crate::cache::Cache;
use crate::cache::resource_version::number;
use crate::context::Context;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(10);
/// How soon it is looked again after an answer that is doubted.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The cluster says a lower revision than it has said before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cluster's revision fell from {before} to {now}: etcd was restored from an older snapshot, so earlier watches do not report its present objects"
)]
pub struct WentBack {
    /// The highest that was seen.
    pub before: u64,
    /// What it says now.
    pub now: u64,
}

/// What follows from a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// The cluster goes on.
    Forward,
    /// It says less than it has said before; it is asked once more.
    Doubtful,
    /// It has said so twice.
    Back(WentBack),
}

/// The highest revision that was seen.
#[derive(Debug, Default)]
pub struct Revisions {
    highest: u64,
    doubted: bool,
}

impl Revisions {
    /// Notes the highest version that a watch has told of.
    pub fn note(&mut self, highest: u64) {
        self.highest = self.highest.max(highest);
    }

    /// Judges the version of a consistent list that was asked for after everything else had been noted.
    pub fn judge(&mut self, listed: Option<&str>) -> Course {
        let (before, Some(now)) = (self.highest, number(listed)) else {
            return Course::Forward;
        };
        let doubted = std::mem::replace(&mut self.doubted, now < before);
        self.highest = self.highest.max(now);
        match (now < before, doubted) {
            (false, _) => Course::Forward,
            (true, false) => Course::Doubtful,
            (true, true) => Course::Back(WentBack { before, now }),
        }
    }
}

/// Looks for ever; when the cluster went back, the process ends.
pub async fn watch(context: Arc<Context>, cache: Arc<Cache>, supervisor: Supervisor) {
    // One name of one namespace, which need not exist: the API server looks at nothing else to say where it stands.
    let clients: Api<OAuthClient> =
        Api::namespaced(context.kube.clone(), &context.settings.namespace);
    let one = ListParams::default().fields("metadata.name=clientele");
    let mut revisions = Revisions::default();
    let mut pause = LOOK;
    loop {
        sleep(pause).await;
        pause = LOOK;
        revisions.note(cache.clients_revision.get());
        // While the API server is not there, the watches say so.
        let Ok(list) = clients.list_metadata(&one).await else {
            continue;
        };
        match revisions.judge(list.metadata.resource_version.as_deref()) {
            Course::Forward => {}
            Course::Doubtful => pause = LOOK_AGAIN,
            Course::Back(went_back) => return supervisor.fail(&went_back.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_that_rises_or_stays_is_the_course_of_things() {
        let mut revisions = Revisions::default();
        for listed in ["7", "7", "8", "99", "100"] {
            assert_eq!(revisions.judge(Some(listed)), Course::Forward, "{listed}");
        }
    }

    #[test]
    fn f17_a_revision_that_is_lower_twice_is_a_restored_snapshot() {
        let mut revisions = Revisions::default();
        revisions.judge(Some("90"));
        revisions.note(100);
        revisions.note(95);
        assert_eq!(revisions.judge(Some("99")), Course::Doubtful);
        let back = WentBack {
            before: 100,
            now: 99,
        };
        assert_eq!(revisions.judge(Some("99")), Course::Back(back));
    }

    #[test]
    fn one_answer_that_lags_is_forgiven() {
        let mut revisions = Revisions::default();
        revisions.note(100);
        for _ in 0..3 {
            assert_eq!(revisions.judge(Some("99")), Course::Doubtful);
            assert_eq!(revisions.judge(Some("100")), Course::Forward);
        }
    }

    #[test]
    fn what_is_no_number_says_nothing() {
        let mut revisions = Revisions::default();
        revisions.note(100);
        for listed in [None, Some(""), Some("a99")] {
            assert_eq!(revisions.judge(listed), Course::Forward, "{listed:?}");
        }
        revisions.note(0);
        assert_eq!(revisions.judge(Some("100")), Course::Forward);
    }
}
