//! What is different about a run: a fault at a write, or an interval in which nothing is heard.

use super::bug::Bug;
use super::call::Call;
use super::fault_proxy::{Cut, Fault, Mode};

/// What is different about a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Case {
    pub fault: Option<Fault>,
    pub cut: Option<Cut>,
    /// A fault at a write of the command that an administrator says.
    pub command: Option<Fault>,
    /// Whether a second operator stands by and takes over.
    pub two: bool,
    /// What is wrong with every operator of the run.
    pub bug: Option<Bug>,
}

impl Case {
    /// A run in which nothing is different, but for a bug.
    pub fn without_fault(bug: Option<Bug>) -> Self {
        Self {
            bug,
            ..Self::default()
        }
    }

    /// Every write, every way to fail there; then the ways to end with a second operator that takes over.
    pub fn every_fault(writes: usize, bug: Option<Bug>) -> Vec<Self> {
        use Mode::{After, Before, Failed, Lost, Outrun};
        let alone = [Before, After, Lost, Failed, Outrun].map(|mode| (mode, false));
        let two = [Before, After, Lost].map(|mode| (mode, true));
        let modes = alone.into_iter().chain(two);
        modes
            .flat_map(|(mode, two)| {
                (1..=writes).map(move |write| Self {
                    fault: Some(Fault { write, mode }),
                    two,
                    bug,
                    ..Self::default()
                })
            })
            .collect()
    }

    /// Every write of a command, every way to fail there; afterwards it is said again.
    pub fn every_fault_of_a_command(writes: usize) -> Vec<Self> {
        use Mode::{After, Before, Failed, Lost, Outrun};
        let modes = [Before, After, Lost, Failed, Outrun].into_iter();
        let faults = modes.flat_map(|mode| (1..=writes).map(move |write| Fault { write, mode }));
        let case = |fault| Self {
            command: Some(fault),
            ..Self::default()
        };
        faults.map(case).collect()
    }

    /// Whether a command is said again that had done something already: then it does it once more.
    pub fn is_said_twice(&self) -> bool {
        let done = |fault: Fault| fault.write > 1 || matches!(fault.mode, Mode::After | Mode::Lost);
        self.command.is_some_and(done)
    }

    /// Every interval of events: it begins with each of them, and ends in the same step or in each of the later ones. By
    /// a watch that says nothing, and by an operator that is down.
    pub fn every_cut(heard_by_step: &[usize]) -> Vec<Self> {
        let mut cases = Vec::new();
        let last = heard_by_step.len();
        for event in 1..=heard_by_step.last().copied().unwrap_or(0) {
            let step = heard_by_step.iter().filter(|heard| **heard < event).count();
            for steps in 0..last - step {
                cases.extend([false, true].map(|down| Self {
                    cut: Some(Cut { event, steps, down }),
                    ..Self::default()
                }));
            }
        }
        cases
    }

    /// What is said of it.
    pub fn at(&self, writes: &[Call]) -> String {
        if let Some(Fault { write, mode }) = self.command {
            return format!("{mode:?} write {write} of the command");
        }
        let replicas = if self.two { ", two replicas" } else { "" };
        match (self.fault, self.cut) {
            (Some(Fault { write, mode }), _) => match writes.get(write - 1) {
                Some(call) => format!("{mode:?} write {write} ({call}){replicas}"),
                None => format!("{mode:?} write {write}{replicas}"),
            },
            (None, Some(Cut { event, steps, down })) => {
                let how = if down { "down" } else { "deaf" };
                format!("{how} from event {event} for {steps} steps")
            }
            (None, None) => "no fault".to_owned(),
        }
    }
}
