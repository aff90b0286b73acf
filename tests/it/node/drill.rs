//! What a drill promises, what was seen, and the table of both.

use std::any::Any;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::tally::Tally;

/// As much as a cell of the table holds.
const CELL: usize = 300;

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    drill: String,
    goal: String,
    seen: String,
    met: bool,
}

impl Row {
    /// A drill that has no number: it came to its end, or it did not.
    pub fn holds(drill: &str, goal: &str, seen: &str, met: bool) -> Self {
        let seen = seen.replace(['\n', '|'], " ");
        let seen: String = seen.chars().take(CELL).collect();
        Self {
            drill: drill.to_owned(),
            goal: goal.to_owned(),
            seen,
            met,
        }
    }

    /// Something that shall take at most this long.
    pub fn within(drill: &str, what: &str, most: Duration, took: Duration) -> Self {
        Self::holds(
            drill,
            &format!("{what} in at most {} s", most.as_secs()),
            &format!("{:.1} s", took.as_secs_f64()),
            took <= most,
        )
    }

    /// Requests of which at most this many may fail, for at most this long; none may where the number is 0.
    pub fn at_most(drill: &str, failed: usize, during: Duration, tally: &Tally) -> Self {
        let goal = if failed == 0 {
            "0 failed".to_owned()
        } else {
            format!("at most {failed} failed, within {} s", during.as_secs())
        };
        let asked: usize = tally.asked.values().sum();
        let met = asked > 0 && tally.failed() <= failed && tally.failing_for() <= during;
        Self::holds(drill, &goal, &tally.text(), met)
    }

    /// A drill that panicked.
    pub fn broken_off(drill: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let seen = format!("broken off: {}", text.unwrap_or("a panic"));
        Self::holds(drill, "comes to its end", &seen, false)
    }

    /// Whether the goal was missed.
    pub fn is_missed(&self) -> bool {
        !self.met
    }

    /// A drill that this machine cannot run.
    pub fn not_run(drill: &str, why: &str) -> Self {
        Self::holds(drill, "–", &format!("NOT TESTED: {why}"), true)
    }

    /// The row in Markdown.
    fn markdown(&self) -> String {
        let verdict = if self.met { "" } else { "**missed**" };
        let Self {
            drill, goal, seen, ..
        } = self;
        format!("| {drill} | {goal} | {seen} | {verdict} |\n")
    }
}

/// Rows of drills that ran, each printed and kept as soon as it is there.
#[derive(Default)]
pub struct Rows {
    rows: Vec<Row>,
    kept: Option<PathBuf>,
}

impl Rows {
    /// None yet; they are added to the file of this name, too.
    pub fn kept(file: Option<PathBuf>) -> Self {
        Self {
            rows: Vec::new(),
            kept: file,
        }
    }

    /// Adds and prints the rows of a drill.
    pub fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            let verdict = if row.met { "" } else { ": MISSED" };
            println!("{} ({}): {}{verdict}", row.drill, row.goal, row.seen);
            if let Some(file) = &self.kept {
                let file = OpenOptions::new().create(true).append(true).open(file);
                file.unwrap().write_all(row.markdown().as_bytes()).unwrap();
            }
            self.rows.push(row);
        }
    }

    /// All of them.
    pub fn all(&self) -> &[Row] {
        &self.rows
    }
}

/// The rows as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = "| drill | goal | seen | |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        text += &row.markdown();
    }
    text
}

/// Panics with the rows whose goal was missed.
#[track_caller]
pub fn all_met(rows: &[Row]) {
    let missed: Vec<Row> = rows.iter().filter(|row| !row.met).cloned().collect();
    assert!(
        missed.is_empty(),
        "{} of {} goals were missed:\n{}",
        missed.len(),
        rows.len(),
        table(&missed)
    );
}

#[cfg(test)]
mod tests {
    use super::super::tally::Failure;
    use super::*;

    #[test]
    fn a_goal_is_a_number_of_failures_and_a_time() {
        let seconds = Duration::from_secs;
        let met = |most, during, tally: &Tally| Row::at_most("d", most, seconds(during), tally).met;
        let mut tally = Tally::default();
        assert!(!met(0, 0, &tally), "a drill without requests shows nothing");
        tally.record("token", seconds(1), Ok(()));
        assert!(met(0, 0, &tally));
        tally.record("token", seconds(2), Err(Failure::Refused));
        tally.record("token", seconds(9), Err(Failure::Refused));
        assert!(met(2, 7, &tally));
        assert!(!met(1, 7, &tally), "too many");
        assert!(!met(2, 6, &tally), "for too long");
    }

    #[test]
    fn the_table_says_which_goals_were_missed() {
        let rows = [
            Row::within(
                "install",
                "Ready",
                Duration::from_secs(10),
                Duration::from_millis(7_900),
            ),
            Row::holds("helm test", "passes", "Error:\nno | pod", false),
            Row::not_run("network policy", "the bridge plugin enforces none"),
        ];
        let table = table(&rows);
        assert!(table.contains("| install | Ready in at most 10 s | 7.9 s |  |"));
        assert!(table.contains("| helm test | passes | Error: no   pod | **missed** |"));
        assert!(table.contains("NOT TESTED: the bridge plugin enforces none"));
        assert!(std::panic::catch_unwind(|| all_met(&rows)).is_err());
        all_met(&rows[..1]);
    }

    #[test]
    fn rows_are_kept_one_by_one_and_a_panic_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows");
        let mut rows = Rows::kept(Some(file.clone()));
        rows.add([Row::not_run("first", "why")]);
        let panic = std::panic::catch_unwind(|| panic!("no {}", "pod")).unwrap_err();
        rows.add([Row::broken_off("second", &*panic)]);
        assert!(rows.all()[1].is_missed());
        let kept = std::fs::read_to_string(file).unwrap();
        let second = "| second | comes to its end | broken off: no pod | **missed** |";
        assert_eq!(
            kept.lines().collect::<Vec<_>>(),
            ["| first | – | NOT TESTED: why |  |", second]
        );
    }
}
