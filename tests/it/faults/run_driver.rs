//! Drives a run: its operators, the fault, and what happens between two steps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_oauth::Registry;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;

use super::case::Case;
use super::difference::{Slack, difference, same};
use super::fault_cluster::FaultCluster;
use super::fault_proxy::{Mode, Stand};
use super::leaks::Canaries;
use super::normalized_snapshot::NormalizedSnapshot;
use super::operator::Running;
use super::run::Run;
use super::workloads::{DEADLINE, Step, Workload};

/// A run in which nothing was written for this long has come to rest. What is tried again after an error comes sooner.
const QUIET: Duration = Duration::from_millis(400);
/// How often it is looked meanwhile, at least.
const TURNS: u32 = 10;
/// The first try after an error comes within this.
const RETRIED: Duration = Duration::from_millis(900);
/// Who was beaten tries again within this, if there is still something to write.
const BEATEN: Duration = Duration::from_millis(300);
/// Where it is a matter of who is faster, a run may make fewer writes than the one without a fault, and the fault does
/// not come. The first operator rests for this time, and the second need not be held any more.
const MISSED: Duration = Duration::from_secs(5);
/// Who has a bug gets no more time than this.
const IMPATIENT: Duration = Duration::from_secs(10);

/// A run, its operators, and the fault.
pub struct RunDriver {
    pub run: Arc<Run>,
    case: Case,
    /// Who runs; the first is the one whose proxy has the fault, or who came after it.
    pub operators: Vec<Running>,
    /// The revision after which writes count.
    pub armed_at: u64,
    /// The operator with the fault has ended.
    pub is_over: bool,
    /// All steps are done.
    pub is_done: bool,
    /// How its workload is: how many acts come at once, and whether it matters who is faster.
    hasty: usize,
    raced: bool,
}

impl RunDriver {
    pub async fn begin(cluster: &'static FaultCluster, workload: &Workload, case: Case) -> Self {
        let run = Run::set(cluster, workload.tenant.as_ref(), workload.own_keys).await;
        run.command.lock().unwrap().bug = case.bug;
        let operator = Running::start(&run, Stand::Free, case.bug);
        operator.wait_ready().await;
        Self {
            run,
            case,
            operators: vec![operator],
            armed_at: 0,
            is_over: false,
            is_done: false,
            hasty: workload.hasty,
            raced: workload.raced,
        }
    }

    /// The first step begins, in which faults happen.
    pub async fn arm(&mut self) {
        if self.armed_at > 0 {
            return;
        }
        if self.case.two {
            let second = Running::start(&self.run, Stand::Beaten, self.case.bug);
            second.wait_ready().await;
            self.operators.push(second);
        }
        let events = self.run.history.events();
        self.armed_at = events.last().map_or(1, |seen| seen.revision);
        self.operators[0].proxy.arm(self.case.fault, self.case.cut);
        self.run.command.lock().unwrap().fault = self.case.command;
    }

    /// In the step in which the fault comes the second operator has its plans ready.
    pub async fn stand_by(&self, writes_by_then: usize) {
        let due = |fault: super::fault_proxy::Fault| fault.write <= writes_by_then;
        if self.case.fault.is_some_and(due) && !self.has_fired() {
            for second in &self.operators[1..] {
                // What it was beaten to in earlier steps is over: plans are as old as this step, and no older. It is not
                // over where a Secret of others is in the way, of which only an answer to its own create would tell it.
                let begun = Instant::now();
                while second.proxy.quiet() < BEATEN && begun.elapsed() < 4 * BEATEN {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                second.proxy.stand(Stand::Held);
            }
        }
    }

    /// Whether the fault has happened, or the interval begun.
    pub fn has_fired(&self) -> bool {
        self.is_over || self.operators[0].proxy.fired.is_cancelled()
    }

    pub async fn act(&self, step: &Step) {
        for act in &step.acts {
            act.perform(&self.run).await;
        }
    }

    /// Acts and waits until what is expected has come, and nothing more comes.
    pub async fn rest(&mut self, step: &Step) -> Result<(), String> {
        self.act(step).await;
        let deadline = Instant::now() + self.patience();
        loop {
            self.look_after().await;
            let met = step.then.met(&self.run);
            if met.is_ok() {
                break;
            }
            if Instant::now() > deadline {
                return Err(format!("I1: {:?}: {}", step.acts, met.unwrap_err()));
            }
            self.breath().await;
        }
        self.quiet().await?;
        let stays = step.then.met(&self.run);
        stays.map_err(|seen| format!("I1: does not stay: {seen}"))
    }

    /// Waits until everything is as in the run without a fault. `false` if meanwhile an interval begins.
    pub async fn until(&mut self, wanted: &NormalizedSnapshot) -> Result<bool, String> {
        let whole = !self.has_fired();
        let deadline = Instant::now() + self.patience();
        let mut looked = None;
        loop {
            if self.case.cut.is_some() && whole && self.has_fired() {
                return Ok(false);
            }
            self.look_after().await;
            let now = (self.run.history.count(), self.revisions());
            if looked.as_ref() != Some(&now) {
                looked = Some(now);
                if self.looks_like(wanted) {
                    return Ok(true);
                }
            }
            if Instant::now() > deadline {
                return Err(difference(wanted, &self.snapshot()));
            }
            self.breath().await;
        }
    }

    /// Whether everything is as in the run without a fault.
    pub fn looks_like(&self, wanted: &NormalizedSnapshot) -> bool {
        let slack = Slack {
            incarnations: self.case.cut.is_some(),
            generations: self.hasty > 1 || self.case.is_said_twice(),
        };
        same(wanted, &self.snapshot(), slack)
    }

    fn patience(&self) -> Duration {
        if self.case.bug.is_some() {
            IMPATIENT
        } else {
            DEADLINE
        }
    }

    async fn breath(&self) {
        tokio::select! {
            () = self.run.history.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }

    /// The driver starts a new operator when one has ended by a fault, or the second takes over.
    async fn look_after(&mut self) {
        let first = &self.operators[0].proxy;
        let may_miss = self.hasty > 1 || self.raced || self.run.is_terminating();
        let missed = may_miss && first.quiet() > MISSED;
        if self.case.two && (first.fired.is_cancelled() || missed) {
            for operator in &self.operators[1..] {
                operator.proxy.stand(Stand::Free);
            }
        }
        let late = self.is_done && first.fired.is_cancelled();
        if self.case.cut.is_some() && late {
            self.end_the_cut().await;
            return;
        }
        if self.case.cut.is_none() && first.died.is_cancelled() && !self.is_over {
            if self.case.two {
                self.operators.remove(0).kill();
                self.is_over = true;
            } else {
                self.start_again().await;
            }
        }
    }

    async fn start_again(&mut self) {
        self.operators.remove(0).kill();
        self.is_over = true;
        let next = Running::start(&self.run, Stand::Free, self.case.bug);
        next.wait_ready().await;
        self.operators.push(next);
    }

    /// The interval ends.
    pub async fn end_the_cut(&mut self) {
        if self.is_over {
            return;
        }
        if self.case.cut.is_some_and(|cut| cut.down) {
            self.start_again().await;
        } else {
            self.operators[0].proxy.mend();
        }
    }

    fn revisions(&self) -> Vec<u64> {
        let registries = self.registries();
        registries
            .iter()
            .map(|registry| registry.revision)
            .collect()
    }

    fn registries(&self) -> Vec<Arc<Registry>> {
        let lines = self.operators.iter().map(|operator| &operator.proxy);
        lines.map(|proxy| proxy.registry.load_full()).collect()
    }

    pub fn snapshot(&self) -> NormalizedSnapshot {
        self.run.snapshot(&self.registries())
    }

    /// Waits until nothing has been written for a while, in which everybody had turns: a machine may stand still.
    pub async fn quiet(&mut self) -> Result<(), String> {
        let tried_again =
            |fault: super::fault_proxy::Fault| matches!(fault.mode, Mode::Lost | Mode::Failed);
        let tried_again = self.case.fault.is_some_and(tried_again) || self.case.cut.is_some();
        let quiet = if tried_again { RETRIED } else { QUIET };
        let deadline = Instant::now() + self.patience();
        self.look_after().await;
        let (mut seen, mut since, mut turns) = (self.run.history.count(), Instant::now(), 0);
        let busy = |driver: &Self| {
            let lines = driver.operators.iter().map(|operator| &operator.proxy);
            lines.into_iter().any(|proxy| proxy.quiet() < quiet)
        };
        while since.elapsed() < quiet || turns < TURNS || busy(self) {
            if Instant::now() > deadline {
                return Err("I1: never comes to rest".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.look_after().await;
            turns += 1;
            let now = self.run.history.count();
            if now != seen {
                (seen, since, turns) = (now, Instant::now(), 0);
            }
        }
        Ok(())
    }

    /// Ends everybody, and hears the oracles that judge the whole.
    pub async fn end(self) -> Vec<String> {
        for operator in self.operators {
            operator.kill();
        }
        let mut objections = self.run.judge_history();
        objections.append(&mut self.run.objections.lock().unwrap());
        let canaries = Canaries::of(self.run.cluster);
        let events: Api<Event> = Api::namespaced(self.run.kube.clone(), &self.run.namespace);
        for event in events.list(&ListParams::default()).await.unwrap() {
            if canaries.are_in(&serde_json::to_string(&event).unwrap()) {
                objections.push(format!("a secret is in event {:?}", event.reason));
            }
        }
        for seen in self.run.history.events() {
            let holds_some = ["Secret/", "RootKeys/"];
            let holds_some = holds_some.iter().any(|kind| seen.key.starts_with(kind));
            if !holds_some && canaries.are_in(&seen.object.to_string()) {
                let (key, revision) = (&seen.key, seen.revision);
                objections.push(format!("a secret is in {key} at revision {revision}"));
            }
        }
        objections
    }
}
