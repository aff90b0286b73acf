//! Plays a workload once without a fault, then once for each fault, and compares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele::oauth::Registry;
use futures::{StreamExt, stream};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;

use super::call::Call;
use super::ground::Ground;
use super::leaks::{Canaries, Search};
use super::line::{Fault, Mode, Stand};
use super::mask::Picture;
use super::operator::Running;
use super::oracles::Summary;
use super::scene::Scene;
use super::witness::Change;
use super::workloads::{Step, Workload, neighbor};

/// A run in which nothing was written for so long has come to rest. What is tried again after trouble comes sooner.
const QUIET: Duration = Duration::from_millis(400);
/// The first try after trouble comes within this.
const RETRIED: Duration = Duration::from_millis(900);
/// How many runs are under way at once.
const AT_ONCE: usize = 16;

/// A run without a fault.
pub struct Reference {
    pictures: Vec<Picture>,
    summary: Summary,
    /// Its writes, in order.
    pub writes: Vec<Call>,
    /// How many of them there were at the end of each step.
    by_step: Vec<usize>,
}

/// What is different about a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Case {
    pub fault: Option<Fault>,
    /// Whether a second operator stands by and takes over.
    pub two: bool,
}

/// Every write, every way to fail there; then the ways to end with a second operator that takes over.
pub fn every_case(writes: usize) -> Vec<Case> {
    use Mode::{After, Before, Failed, Lost, Outrun};
    let alone = [Before, After, Lost, Failed, Outrun].map(|mode| (mode, false));
    let two = [Before, After, Lost].map(|mode| (mode, true));
    let modes = alone.into_iter().chain(two);
    modes
        .flat_map(|(mode, two)| {
            (1..=writes).map(move |write| Case {
                fault: Some(Fault { write, mode }),
                two,
            })
        })
        .collect()
}

/// Plays a workload with a fault at every write; panics when any oracle objects.
pub async fn no_fault_matters(workload: Workload) {
    let ground = Ground::shared().await;
    let (search, _guard) = Search::start(Canaries::of(ground));
    let begun = Instant::now();
    let (reference, mut objections) = reference(ground, &workload).await;
    let cases = every_case(reference.writes.len());
    let runs = cases.len();
    let played = stream::iter(cases)
        .map(|case| {
            let (workload, reference) = (&workload, &reference);
            async move {
                let objections = play(ground, workload, case, reference).await;
                let said = objections.into_iter().map(move |said| (case, said));
                said.map(|(case, said)| format!("{}: {said}", case.at(&reference.writes)))
                    .collect::<Vec<_>>()
            }
        })
        .buffer_unordered(AT_ONCE);
    objections.extend(played.concat().await);
    objections.extend(search.found());
    let name = workload.name;
    println!(
        "{name}: {} writes, {runs} runs, {:?}",
        reference.writes.len(),
        begun.elapsed()
    );
    assert!(!reference.writes.is_empty(), "{name}: nothing was written");
    assert!(
        objections.is_empty(),
        "{name}, whose writes are {}: {} objections:\n{}",
        said(&reference.writes),
        objections.len(),
        objections.join("\n")
    );
}

fn said(writes: &[Call]) -> String {
    let writes: Vec<String> = writes.iter().map(Call::to_string).collect();
    writes.join(", ")
}

impl Case {
    fn at(&self, writes: &[Call]) -> String {
        let replicas = if self.two { ", two replicas" } else { "" };
        match self.fault {
            Some(fault) => format!(
                "{:?} write {} ({}){replicas}",
                fault.mode,
                fault.write,
                writes[fault.write - 1]
            ),
            None => "no fault".to_owned(),
        }
    }
}

/// Plays a workload without a fault.
pub async fn reference(ground: &'static Ground, workload: &Workload) -> (Reference, Vec<String>) {
    let mut run = Run::begin(ground, workload, Case::default()).await;
    let mut pictures = Vec::new();
    let mut objections = Vec::new();
    for step in [neighbor()].iter().chain(&workload.before) {
        objections.extend(run.rest(step).await.err());
        pictures.push(run.picture());
    }
    run.arm().await;
    let mut by_step = Vec::new();
    for step in &workload.steps {
        objections.extend(run.rest(step).await.err());
        pictures.push(run.picture());
        by_step.push(run.operators[0].line.writes().len());
    }
    let reference = Reference {
        pictures,
        summary: run.scene.summary(run.armed_at),
        writes: run.operators[0].line.writes(),
        by_step,
    };
    objections.extend(run.end().await);
    (reference, objections)
}

/// Plays a workload with a fault. The objections of all oracles.
pub async fn play(
    ground: &'static Ground,
    workload: &Workload,
    case: Case,
    reference: &Reference,
) -> Vec<String> {
    let mut run = Run::begin(ground, workload, case).await;
    let mut pictures = reference.pictures.iter();
    let mut objections = Vec::new();
    let begin = [neighbor()];
    let setting = begin
        .iter()
        .chain(&workload.before)
        .map(|step| (step, None));
    let steps = workload.steps.iter().zip(&reference.by_step);
    let steps = steps.map(|(step, writes)| (step, Some(*writes)));
    for (step, writes) in setting.chain(steps) {
        if let Some(writes) = writes {
            run.arm().await;
            run.stand_by(writes);
        }
        run.act(step).await;
        let wanted = pictures.next().unwrap();
        if let Err(difference) = run.until(wanted).await {
            objections.push(format!("I1: {:?}: {difference}", step.acts));
            break;
        }
    }
    run.quiet().await;
    let end = run.picture();
    if objections.is_empty() && end != *reference.pictures.last().unwrap() {
        let difference = difference(reference.pictures.last().unwrap(), &end);
        objections.push(format!("I1: does not stay: {difference}"));
    }
    if !run.operators[0].line.fired.is_cancelled() && !run.is_over {
        objections.push("the fault did not happen".to_owned());
    }
    objections.extend(compare(
        workload,
        &reference.summary,
        run.scene.summary(run.armed_at),
        case,
        reference,
    ));
    objections.extend(run.end().await);
    objections
}

/// The number of writes per object is that of the run without a fault.
fn compare(
    workload: &Workload,
    wanted: &Summary,
    mut seen: Summary,
    case: Case,
    reference: &Reference,
) -> Option<String> {
    let mut wanted = wanted.clone();
    let at = case
        .fault
        .map(|fault| (fault.mode, &reference.writes[fault.write - 1]));
    if let Some((Mode::Outrun, call)) = at
        && call.verb == "delete"
    {
        // The person who was faster has deleted it.
        for summary in [&mut wanted, &mut seen] {
            summary.remove(&format!("Secret/{}", call.name));
        }
    }
    // Each of two operators may say once how it is, and what is said is the same. Hasty acts may be answered together.
    let most = |key: &str| match (case.two, key.starts_with("Secret/")) {
        (true, false) => 2 * workload.hasty,
        _ => workload.hasty,
    };
    let count = |summary: &Summary, key: &str, change: &Change| {
        let changes = summary.get(key);
        changes
            .and_then(|changes| changes.get(change))
            .copied()
            .unwrap_or(0)
    };
    let too_many = seen.iter().any(|(key, changes)| {
        let more =
            |(change, times): (&Change, &usize)| *times > most(key) * count(&wanted, key, change);
        changes.iter().any(more)
    });
    let too_few = workload.hasty == 1
        && wanted.iter().any(|(key, changes)| {
            changes
                .iter()
                .any(|(change, times)| count(&seen, key, change) < *times)
        });
    (too_many || too_few).then(|| format!("writes: {seen:?}, without a fault {wanted:?}"))
}

struct Run {
    scene: Arc<Scene>,
    case: Case,
    /// Who runs; the first is the one whose line has the fault, or who came after it.
    operators: Vec<Running>,
    armed_at: u64,
    /// The operator with the fault has ended.
    is_over: bool,
}

impl Run {
    async fn begin(ground: &'static Ground, workload: &Workload, case: Case) -> Self {
        let scene = Arc::new(Scene::new(ground, workload.tenant.as_ref()).await);
        let operator = Running::start(&scene, Stand::Free);
        operator.wait_ready().await;
        Self {
            scene,
            case,
            operators: vec![operator],
            armed_at: 0,
            is_over: false,
        }
    }

    /// The first step begins, in which faults happen.
    async fn arm(&mut self) {
        if self.armed_at > 0 {
            return;
        }
        if self.case.two {
            let second = Running::start(&self.scene, Stand::Beaten);
            second.wait_ready().await;
            self.operators.push(second);
        }
        let events = self.scene.witness.events();
        self.armed_at = events.last().map_or(1, |seen| seen.revision);
        self.operators[0].line.arm(self.case.fault);
    }

    /// In the step in which the fault comes the second operator has its plans ready.
    fn stand_by(&self, writes_by_then: usize) {
        let first = &self.operators[0].line;
        let due = self
            .case
            .fault
            .is_some_and(|fault| fault.write <= writes_by_then);
        if due && !first.fired.is_cancelled() && !self.is_over {
            for second in &self.operators[1..] {
                second.line.stand(Stand::Held);
            }
        }
    }

    async fn act(&self, step: &Step) {
        for act in &step.acts {
            act.perform(&self.scene).await;
        }
    }

    /// Acts and waits until what is expected has come, and nothing more comes.
    async fn rest(&mut self, step: &Step) -> Result<(), String> {
        self.act(step).await;
        let deadline = Instant::now() + super::workloads::DEADLINE;
        loop {
            self.look_after().await;
            let met = step.then.met(&self.scene);
            if met.is_ok() {
                break;
            }
            if Instant::now() > deadline {
                return Err(format!("I1: {:?}: {}", step.acts, met.unwrap_err()));
            }
            self.breath().await;
        }
        self.quiet().await;
        step.then
            .met(&self.scene)
            .map_err(|seen| format!("I1: does not stay: {seen}"))
    }

    /// Waits until everything is as in the run without a fault.
    async fn until(&mut self, wanted: &Picture) -> Result<(), String> {
        let deadline = Instant::now() + super::workloads::DEADLINE;
        let mut looked = None;
        loop {
            self.look_after().await;
            let now = (self.scene.witness.count(), self.revisions());
            if looked.as_ref() != Some(&now) {
                looked = Some(now);
                if self.picture() == *wanted {
                    return Ok(());
                }
            }
            if Instant::now() > deadline {
                return Err(difference(wanted, &self.picture()));
            }
            self.breath().await;
        }
    }

    async fn breath(&self) {
        tokio::select! {
            () = self.scene.witness.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }

    /// Somebody starts a new operator when one has ended, or the second takes over.
    async fn look_after(&mut self) {
        let first = &self.operators[0].line;
        if self.case.two && first.fired.is_cancelled() {
            for operator in &self.operators[1..] {
                operator.line.stand(Stand::Free);
            }
        }
        if first.died.is_cancelled() && !self.is_over {
            self.operators.remove(0).kill();
            self.is_over = true;
            if !self.case.two {
                let next = Running::start(&self.scene, Stand::Free);
                next.wait_ready().await;
                self.operators.push(next);
            }
        }
    }

    fn revisions(&self) -> Vec<u64> {
        self.registries()
            .iter()
            .map(|registry| registry.revision)
            .collect()
    }

    fn registries(&self) -> Vec<Arc<Registry>> {
        let lines = self.operators.iter().map(|operator| &operator.line);
        lines.map(|line| line.registry.load_full()).collect()
    }

    fn picture(&self) -> Picture {
        self.scene.picture(&self.registries())
    }

    /// Waits until nothing has been written for a while.
    async fn quiet(&mut self) {
        self.look_after().await;
        let tried_again = self
            .case
            .fault
            .is_some_and(|fault| matches!(fault.mode, Mode::Lost | Mode::Failed));
        let quiet = if tried_again { RETRIED } else { QUIET };
        let (mut seen, mut since) = (self.scene.witness.count(), Instant::now());
        while since.elapsed() < quiet
            || self
                .operators
                .iter()
                .any(|operator| operator.line.quiet() < quiet)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.look_after().await;
            let now = self.scene.witness.count();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }

    /// Ends everybody, and hears the oracles that judge the whole.
    async fn end(self) -> Vec<String> {
        for operator in self.operators {
            operator.kill();
        }
        let mut objections = self.scene.judge_history();
        objections.append(&mut self.scene.objections.lock().unwrap());
        let canaries = Canaries::of(self.scene.ground);
        let events: Api<Event> = Api::namespaced(self.scene.kube.clone(), &self.scene.namespace);
        for event in events.list(&ListParams::default()).await.unwrap() {
            if canaries.are_in(&serde_json::to_string(&event).unwrap()) {
                objections.push(format!("a secret is in event {:?}", event.reason));
            }
        }
        for seen in self.scene.witness.events() {
            if !seen.key.starts_with("Secret/") && canaries.are_in(&seen.object.to_string()) {
                objections.push(format!(
                    "a secret is in {} at revision {}",
                    seen.key, seen.revision
                ));
            }
        }
        objections
    }
}

/// What differs, one line for each value.
fn difference(wanted: &Picture, seen: &Picture) -> String {
    let flat = |picture: &Picture| {
        let mut lines = BTreeMap::new();
        for (name, value) in picture {
            flatten(name, value, &mut lines);
        }
        lines
    };
    let (wanted, seen) = (flat(wanted), flat(seen));
    let names = wanted.keys().chain(seen.keys());
    let mut differ: Vec<String> = names
        .filter(|name| wanted.get(*name) != seen.get(*name))
        .map(|name| {
            format!(
                "{name}: {:?}, without a fault {:?}",
                seen.get(name),
                wanted.get(name)
            )
        })
        .collect();
    differ.sort();
    differ.dedup();
    differ.join("; ")
}

fn flatten(name: &str, value: &serde_json::Value, lines: &mut BTreeMap<String, String>) {
    use serde_json::Value::{Array, Object};
    match value {
        Object(fields) if !fields.is_empty() => {
            fields
                .iter()
                .for_each(|(field, value)| flatten(&format!("{name}.{field}"), value, lines));
        }
        Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, value)| flatten(&format!("{name}.{at}"), value, lines));
        }
        value => {
            lines.insert(name.to_owned(), value.to_string());
        }
    }
}
