//! The rules whose violations may be known, each with its list.

use std::io;

use crate::known::{Findings, shrink};
use crate::project::Project;
use crate::table::{OPERATIONS, Table};
use crate::{circles, imports, retired, sizes, storeys};

/// What each rule finds, with the name of its list.
fn findings(project: &Project) -> [(&'static str, Findings); 7] {
    [
        ("circles", circles::files_in_circles(project)),
        ("open-operations", Table::read(OPERATIONS).waiting()),
        ("pure-rooms", imports::impure(project)),
        ("retired-names", retired::names(project)),
        ("retired-phrases", retired::phrases()),
        ("sizes", sizes::too_large(project)),
        ("storeys", storeys::upward(project)),
    ]
}

/// Removes from every list what no longer occurs. Returns how many lines are left.
pub fn shrink_all(project: &Project) -> io::Result<usize> {
    let findings = findings(project).into_iter();
    let left = findings.map(|(rule, found)| shrink(rule, &found));
    left.sum()
}
