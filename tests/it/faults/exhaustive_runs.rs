//! Plays a workload once without a fault, then once for each fault, and compares.

use std::time::Instant;

use futures::{StreamExt, stream};

use super::bug::Bug;
use super::call::Call;
use super::case::Case;
use super::difference::difference;
use super::fault_cluster::FaultCluster;
use super::fault_proxy::Mode;
use super::leaks::{Canaries, Search};
use super::normalized_snapshot::NormalizedSnapshot;
use super::object_history::Change;
use super::oracles::Summary;
use super::run_driver::RunDriver;
use super::workloads::{Workload, neighbor};

/// How many runs are under way at once.
const AT_ONCE: usize = 16;

/// A run without a fault.
pub struct Reference {
    snapshots: Vec<NormalizedSnapshot>,
    summary: Summary,
    /// Its writes, in order.
    pub writes: Vec<Call>,
    /// How many writes and events there were at the end of each step.
    written: Vec<usize>,
    pub heard: Vec<usize>,
    /// How many writes a command made.
    pub commanded: usize,
}

/// Plays a workload with a fault at every write; panics when any oracle objects.
pub async fn no_fault_matters(workload: Workload) {
    let cluster = FaultCluster::shared().await;
    let (search, _guard) = Search::start(Canaries::of(cluster));
    let (reference, objections) = reference(cluster, &workload, None).await;
    assert!(
        !reference.writes.is_empty(),
        "{}: nothing was written",
        workload.name
    );
    let mut cases = Case::every_fault(reference.writes.len(), None);
    cases.extend(Case::every_fault_of_a_command(reference.commanded));
    judge(cluster, &workload, &reference, cases, objections, &search).await;
}

/// Plays a workload with every interval of events unheard; panics when any oracle objects.
pub async fn no_interval_matters(workload: Workload) {
    let cluster = FaultCluster::shared().await;
    let (search, _guard) = Search::start(Canaries::of(cluster));
    let (reference, objections) = reference(cluster, &workload, None).await;
    assert!(
        reference.heard.last() > Some(&0),
        "{}: nothing was heard",
        workload.name
    );
    let cases = Case::every_cut(&reference.heard);
    judge(cluster, &workload, &reference, cases, objections, &search).await;
}

/// Plays a workload with operators that have a bug, with every fault. What the oracles say of it.
pub async fn objections_to(bug: Bug, workload: Workload) -> Vec<String> {
    let cluster = FaultCluster::shared().await;
    let (reference, objections) = reference(cluster, &workload, Some(bug)).await;
    if !objections.is_empty() {
        return objections;
    }
    let cases = Case::every_fault(reference.writes.len(), Some(bug));
    play_all(cluster, &workload, &reference, cases).await
}

async fn judge(
    cluster: &'static FaultCluster,
    workload: &Workload,
    reference: &Reference,
    cases: Vec<Case>,
    mut objections: Vec<String>,
    search: &Search,
) {
    let (begun, runs) = (Instant::now(), cases.len());
    objections.extend(play_all(cluster, workload, reference, cases).await);
    objections.extend(search.found());
    let (name, writes) = (workload.name, &reference.writes);
    println!(
        "{name}: {} writes, {runs} runs, {:?}",
        writes.len(),
        begun.elapsed()
    );
    let writes: Vec<String> = writes.iter().map(Call::to_string).collect();
    assert!(
        objections.is_empty(),
        "{name}, whose writes are {}: {} objections:\n{}",
        writes.join(", "),
        objections.len(),
        objections.join("\n")
    );
}

async fn play_all(
    cluster: &'static FaultCluster,
    workload: &Workload,
    reference: &Reference,
    cases: Vec<Case>,
) -> Vec<String> {
    stream::iter(cases)
        .map(|case| async move {
            let objections = play(cluster, workload, case, reference).await;
            let at = case.at(&reference.writes);
            let said = objections.into_iter().map(|said| format!("{at}: {said}"));
            said.collect::<Vec<_>>()
        })
        .buffer_unordered(AT_ONCE)
        .concat()
        .await
}

/// Plays a workload without a fault.
async fn reference(
    cluster: &'static FaultCluster,
    workload: &Workload,
    bug: Option<Bug>,
) -> (Reference, Vec<String>) {
    let mut driver = RunDriver::begin(cluster, workload, Case::without_fault(bug)).await;
    let (mut snapshots, mut objections) = (Vec::new(), Vec::new());
    for step in [neighbor()].iter().chain(&workload.before) {
        objections.extend(driver.rest(step).await.err());
        snapshots.push(driver.snapshot());
    }
    driver.arm().await;
    let (mut written, mut heard) = (Vec::new(), Vec::new());
    for step in &workload.steps {
        objections.extend(driver.rest(step).await.err());
        snapshots.push(driver.snapshot());
        written.push(driver.operators[0].proxy.writes().len());
        heard.push(driver.operators[0].proxy.heard());
    }
    let reference = Reference {
        snapshots,
        summary: driver.run.summary(driver.armed_at),
        writes: driver.operators[0].proxy.writes(),
        written,
        heard,
        commanded: driver.run.command.lock().unwrap().writes,
    };
    objections.extend(driver.end().await);
    (reference, objections)
}

/// Plays a workload with a fault. The objections of all oracles.
async fn play(
    cluster: &'static FaultCluster,
    workload: &Workload,
    case: Case,
    reference: &Reference,
) -> Vec<String> {
    let mut driver = RunDriver::begin(cluster, workload, case).await;
    let mut objections = Vec::new();
    objections.extend(steps(&mut driver, workload, case, reference).await.err());
    driver.is_done = true;
    objections.extend(driver.quiet().await.err());
    let last = reference.snapshots.last().unwrap();
    if objections.is_empty() && case.two {
        // What the second operator held may have been a status of a moment before; it sees that and says it right.
        objections.extend(driver.until(last).await.err());
        objections.extend(driver.quiet().await.err());
    }
    if objections.is_empty() && !driver.looks_like(last) {
        let difference = difference(last, &driver.snapshot());
        let journal = driver.run.journal.lock().unwrap();
        let last: Vec<String> = journal
            .iter()
            .rev()
            .take(8)
            .map(|(call, code)| format!("{call} {code}"))
            .collect();
        objections.push(format!(
            "I1: does not stay: {difference}; the last writes, latest first: {}",
            last.join(", ")
        ));
    }
    // How much is written for acts in haste, or while a namespace goes, is a matter of who is faster.
    let exact = workload.is_exact() && !driver.run.is_terminating() && case.command.is_none();
    if objections.is_empty() && !driver.has_fired() && exact {
        objections.push("the fault did not happen".to_owned());
    }
    let summary = driver.run.summary(driver.armed_at);
    objections.extend(compare(
        workload,
        &reference.summary,
        summary,
        case,
        reference,
    ));
    objections.extend(driver.end().await);
    objections
}

async fn steps(
    driver: &mut RunDriver,
    workload: &Workload,
    case: Case,
    reference: &Reference,
) -> Result<(), String> {
    let mut snapshots = reference.snapshots.iter();
    for step in [neighbor()].iter().chain(&workload.before) {
        driver.act(step).await;
        driver.until(snapshots.next().unwrap()).await?;
    }
    driver.arm().await;
    let mut missed = 0;
    for ((step, written), wanted) in workload.steps.iter().zip(&reference.written).zip(snapshots) {
        driver.stand_by(*written).await;
        driver.act(step).await;
        if case.is_said_twice() && *written < reference.writes.len() {
            // A client that has moved to the key of the first time moves on when its overlap is over, and not before.
            driver.quiet().await?;
            continue;
        }
        let said = |difference: String| format!("I1: {:?}: {difference}", step.acts);
        let Some(cut) = case.cut else {
            driver.until(wanted).await.map_err(said)?;
            continue;
        };
        if driver.has_fired() {
            missed += 1;
        } else if driver.until(wanted).await.map_err(said)? {
            continue;
        }
        if missed >= cut.steps {
            driver.end_the_cut().await;
            driver.until(wanted).await.map_err(said)?;
        }
    }
    Ok(())
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
        .and_then(|fault| Some((fault.mode, reference.writes.get(fault.write - 1)?)));
    if let Some((Mode::Outrun, call)) = at
        && call.verb == "delete"
    {
        // The person who was faster has deleted it.
        for summary in [&mut wanted, &mut seen] {
            summary.remove(&format!("Secret/{}", call.name));
        }
    }
    if workload.raced {
        // What is withdrawn leaves the Secret by the faster one, the command or the operator.
        seen.retain(|name, _| !name.starts_with("RootKeys/"));
    }
    // Each of two operators may say once how it is, and what is said is the same. Hasty acts may be answered together.
    // An operator that receives events in another order may write a status once more, and so may one that lost a race: the
    // version that the other one made in between is judged as well. Who lost an answer says it again, with a later time,
    // if the watch is slower than the next try. Secrets are written no more often.
    let told_again = at.is_some_and(|(mode, _)| matches!(mode, Mode::Outrun | Mode::Lost));
    let hasty = if case.is_said_twice() {
        2
    } else {
        workload.hasty
    };
    let most = |key: &str| {
        let is_secret = key.starts_with("Secret/");
        let twice = |so: bool| if so && !is_secret { 2 } else { 1 };
        let told_again = case.two || case.cut.is_some() || told_again;
        hasty * twice(told_again) * twice(workload.raced)
    };
    let count = |summary: &Summary, key: &str, change: &Change| {
        let changes = summary.get(key);
        let times = changes.and_then(|changes| changes.get(change));
        times.copied().unwrap_or(0)
    };
    let too_many = seen.iter().any(|(key, changes)| {
        let mut changes = changes.iter();
        changes.any(|(change, times)| *times > most(key) * count(&wanted, key, change))
    });
    let too_few = wanted.iter().any(|(key, changes)| {
        let mut changes = changes.iter();
        changes.any(|(change, times)| count(&seen, key, change) < *times)
    });
    let exact = workload.is_exact() && case.cut.is_none() && hasty == 1;
    (too_many || too_few && exact).then(|| format!("writes: {seen:?}, without a fault {wanted:?}"))
}
