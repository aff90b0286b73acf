//! What the templates of the list show.

use askama::Template;
use clientele_kubectl::shared::{Actor, remedy};
use jiff::Timestamp;

use super::query::{Asked, Column, State};
use super::select::{Need, PAGE, Selected, need, reason, title};
use crate::cluster::table::Row;
use crate::page::{Chrome, FirstParty, Section, client_path, day};
use crate::person::Caller;
use crate::problem::Problem;
use crate::rows::{Kept, Scope};

/// The whole page.
#[derive(Template)]
#[template(path = "clients.html")]
pub struct ClientsPage {
    chrome: Chrome,
    asked: Asked,
    namespaces: String,
    /// For windows in which the table has no headings.
    sorts: Vec<(String, String)>,
    list: RowsFragment,
}

/// What people read where the definitions of the cluster are older than this program.
const OLDER: &str = "The definitions of this cluster are older than this dashboard, so some columns are empty. An administrator upgrades the chart, which brings the CustomResourceDefinitions and the operator along.";

/// The part of it that a search replaces.
#[derive(Template)]
#[template(path = "clients_rows.html")]
pub struct RowsFragment {
    headings: Vec<Heading>,
    rows: Vec<RowView>,
    /// The tenants to choose from.
    tenants: Vec<String>,
    /// Whether there are more of them.
    more_tenants: bool,
    summary: String,
    page: usize,
    pages: usize,
    previous: Option<String>,
    next: Option<String>,
    filtered: bool,
    attention: Option<(usize, String)>,
    read_only: bool,
    /// Set where the person must type the namespaces.
    typed: Option<String>,
    refused: Vec<(String, Problem)>,
    /// How many namespaces were not looked at.
    left_out: usize,
    /// What it means that the definitions of the cluster are older than this program, where they are.
    older: Option<&'static str>,
}

/// The heading of a column.
struct Heading {
    text: &'static str,
    /// The address that sorts by it.
    sorts: Option<String>,
    /// The value of `aria-sort`.
    order: Option<&'static str>,
}

/// One client.
struct RowView {
    row: Row,
    title: String,
    /// Its name, where a display name is shown.
    subtitle: Option<String>,
    first_party: FirstParty,
    path: String,
    id: String,
    status: Status,
    age: String,
    secret_age: String,
    /// To the day.
    last_used: String,
    /// The day until which an old client secret is accepted.
    old_until: String,
}

/// The status of a client, with what to do.
struct Status {
    class: &'static str,
    word: String,
    message: String,
    todo: String,
}

impl ClientsPage {
    /// Around the rows: search and filters.
    pub fn new(person: &Caller, asked: &Asked, list: RowsFragment) -> Self {
        Self {
            chrome: Chrome::new(person, Section::Clients),
            namespaces: asked.namespaces.join(", "),
            sorts: sorts(asked),
            asked: asked.clone(),
            list,
        }
    }

    fn states() -> [(State, &'static str); 6] {
        [
            (State::Any, "Any status"),
            (State::Attention, "Needs attention"),
            (State::Ready, "Ready"),
            (State::Suspended, "Suspended"),
            (State::Unused, "Unused for 90 days"),
            (State::Overlap, "Old secret still works"),
        ]
    }
}

fn sorts(asked: &Asked) -> Vec<(String, String)> {
    let usual = [
        ("", "Namespace"),
        ("name", "Name"),
        ("tenant", "Tenant"),
        ("status", "Status"),
        ("age", "Youngest first"),
        ("-age", "Oldest first"),
        ("used", "Last used first"),
        ("-used", "Longest unused first"),
    ];
    let mut sorts: Vec<(String, String)> = usual
        .into_iter()
        .map(|(word, text)| (word.to_owned(), text.to_owned()))
        .collect();
    let word = asked.sort_word();
    if !sorts.iter().any(|(known, _)| *known == word) {
        sorts.push((word, format!("{}, descending", asked.sort.word())));
    }
    sorts
}

impl RowsFragment {
    /// One page of rows.
    pub fn new(
        person: &Caller,
        kept: &Kept,
        asked: &Asked,
        selected: Selected,
        now: Timestamp,
    ) -> Self {
        let at = |page: usize| asked.at(page).address();
        let attention = (selected.attention > 0 && asked.state != State::Attention).then(|| {
            let only = Asked {
                state: State::Attention,
                ..Asked::default()
            };
            (selected.attention, only.address())
        });
        let typed = match &kept.scope {
            Scope::Typed(namespaces) => Some(namespaces.join(", ")),
            Scope::All | Scope::Allowed(_) => None,
        };
        Self {
            headings: headings(asked),
            summary: summary(&selected),
            previous: (selected.page > 1).then(|| at(selected.page - 1)),
            next: (selected.page < selected.pages).then(|| at(selected.page + 1)),
            page: selected.page,
            pages: selected.pages,
            filtered: asked.filters(),
            tenants: selected.tenants.into_iter().collect(),
            more_tenants: selected.more_tenants,
            rows: selected
                .rows
                .into_iter()
                .map(|row| RowView::new(row, now))
                .collect(),
            attention,
            read_only: person.read_only,
            typed,
            refused: kept.refused.clone(),
            left_out: kept.left_out,
            older: kept.older.then_some(OLDER),
        }
    }
}

fn headings(asked: &Asked) -> Vec<Heading> {
    let columns = [
        ("Name", Some(Column::Name)),
        ("Namespace", Some(Column::Namespace)),
        ("Client ID", None),
        ("Type", None),
        ("Tenant", Some(Column::Tenant)),
        ("Status", Some(Column::Status)),
        ("Last use", Some(Column::Used)),
        ("Secret", None),
        ("Age", Some(Column::Age)),
    ];
    let heading = |(text, column): (&'static str, Option<Column>)| Heading {
        text,
        sorts: column.map(|column| asked.sorted(column).address()),
        order: column.filter(|column| *column == asked.sort).map(|_| {
            if asked.descending {
                "descending"
            } else {
                "ascending"
            }
        }),
    };
    columns.into_iter().map(heading).collect()
}

fn summary(selected: &Selected) -> String {
    let all = match selected.all {
        1 => "1 client".to_owned(),
        all => format!("{all} clients"),
    };
    let first = (selected.page - 1) * PAGE + 1;
    let last = first + selected.rows.len().saturating_sub(1);
    match (
        selected.found,
        selected.found == selected.all,
        selected.pages,
    ) {
        (0, ..) => format!("0 of {all}"),
        (_, true, 1) => all,
        (_, true, _) => format!("{first}–{last} of {all}"),
        (found, false, 1) => format!("{found} of {all}"),
        (found, false, _) => format!("{first}–{last} of {found} found, {all} in all"),
    }
}

impl RowView {
    fn new(row: Row, now: Timestamp) -> Self {
        let shown = title(&row).to_owned();
        let mut status = status(&row);
        status.todo = status.todo.replace("NAME", &row.name);
        Self {
            subtitle: (shown != row.name).then(|| row.name.clone()),
            title: shown,
            first_party: FirstParty::of(row.first_party, row.ready == "True", &row.reason),
            path: client_path(&row.namespace, &row.name, ""),
            id: format!("client-{}.{}", row.namespace, row.name),
            status,
            age: age(row.created, now),
            secret_age: age(row.secret_published, now),
            last_used: used(row.last_used, now),
            old_until: day(&row.old_secret_until),
            row,
        }
    }
}

fn status(row: &Row) -> Status {
    let need = need(row);
    let known = remedy(reason(row));
    let class = match need {
        Need::Act => "bad",
        Need::Wait => "wait",
        Need::Suspended => "off",
        Need::Nothing => "good",
    };
    let word = match need {
        Need::Nothing => "Ready".to_owned(),
        _ => reason(row).to_owned(),
    };
    let (message, todo) = match (need, known) {
        (Need::Nothing, _) => (String::new(), String::new()),
        (_, Some(known)) => {
            let message = if row.message.is_empty() {
                known.meaning
            } else {
                &row.message
            };
            let todo = if known.act == Actor::Nothing {
                ""
            } else {
                known.todo
            };
            (message.to_owned(), todo.to_owned())
        }
        (_, None) => (row.message.clone(), String::new()),
    };
    Status {
        class,
        word,
        message,
        todo,
    }
}

/// How long ago, as kubectl writes it; a dash if never.
fn age(seconds: i64, now: Timestamp) -> String {
    match Timestamp::from_second(seconds) {
        Ok(then) if seconds > 0 => clientele_kubectl::shared::age(&then.to_string(), now),
        _ => "–".to_owned(),
    }
}

/// To the day, as it is recorded.
fn used(seconds: i64, now: Timestamp) -> String {
    match now.as_second().saturating_sub(seconds) / 86_400 {
        _ if seconds <= 0 => "–".to_owned(),
        0 => "today".to_owned(),
        days => format!("{days}d ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ready: &str, reason: &str, message: &str) -> Row {
        Row {
            name: "web".to_owned(),
            ready: ready.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..Row::default()
        }
    }

    #[test]
    fn a_status_says_why_and_what_to_do() {
        let now = Timestamp::UNIX_EPOCH;
        let of = |ready, reason, message| RowView::new(row(ready, reason, message), now).status;
        let good = of("True", "Registered", "client web is registered");
        assert_eq!(
            (good.class, good.word.as_str(), good.todo.as_str()),
            ("good", "Ready", "")
        );
        let bad = of("False", "TenantNotFound", "there is no OAuthTenant x");
        assert_eq!(
            (bad.class, bad.message.as_str()),
            ("bad", "there is no OAuthTenant x")
        );
        assert!(!bad.todo.is_empty());
        let off = of("False", "Suspended", "");
        assert!(off.todo.contains("resume web"), "{}", off.todo);
        assert_eq!(of("", "", "").class, "wait");
        assert_eq!(of("False", "OfALaterVersion", "as it is").class, "bad");
    }

    #[test]
    fn the_last_use_is_a_day() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        assert_eq!(used(0, now), "–");
        assert_eq!(used(999_000, now), "today");
        assert_eq!(used(1_000_000 - 3 * 86_400, now), "3d ago");
        assert_eq!(used(1_000_001, now), "today", "clocks differ");
    }

    #[test]
    fn the_summary_counts_what_is_shown() {
        let selected = |found, all, page, pages, rows| Selected {
            rows: vec![Row::default(); rows],
            found,
            all,
            page,
            pages,
            ..Selected::default()
        };
        for (selected, expected) in [
            (selected(0, 0, 1, 1, 0), "0 of 0 clients"),
            (selected(1, 1, 1, 1, 1), "1 client"),
            (selected(3, 9, 1, 1, 3), "3 of 9 clients"),
            (selected(120, 120, 3, 3, 20), "101–120 of 120 clients"),
            (
                selected(60, 120, 1, 2, 50),
                "1–50 of 60 found, 120 clients in all",
            ),
        ] {
            assert_eq!(summary(&selected), expected);
        }
    }
}
