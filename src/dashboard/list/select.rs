//! From all rows to one page of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use clientele_kubectl::shared::{Actor, remedy};

use super::query::{Asked, Column, State};
use crate::cluster::table::Row;
use crate::rows::Key;

/// The rows of a page.
pub const PAGE: usize = 50;

/// One page, and what its surroundings need to know of all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// The rows of the page.
    pub rows: Vec<Row>,
    /// How many rows the filters leave.
    pub found: usize,
    /// How many there are without filters.
    pub all: usize,
    /// How many of all need attention.
    pub attention: usize,
    /// The tenants of all rows.
    pub tenants: BTreeSet<String>,
    /// The page that is shown: that of the query, or the last one if there are fewer.
    pub page: usize,
    /// How many pages there are, at least 1.
    pub pages: usize,
}

/// What a row needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A person must act.
    Act,
    /// It passes by itself.
    Wait,
    /// A person suspended it.
    Suspended,
    /// It works.
    Nothing,
}

/// What a row needs, by its condition Ready.
pub fn need(row: &Row) -> Need {
    if row.ready == "True" {
        return Need::Nothing;
    }
    match (
        row.reason.as_str(),
        remedy(reason(row)).map(|known| known.act),
    ) {
        ("Suspended", _) => Need::Suspended,
        (_, Some(Actor::Wait | Actor::Nothing)) => Need::Wait,
        _ => Need::Act,
    }
}

/// The reason of a row; the API server gives `Pending` to an object that no operator has seen.
pub fn reason(row: &Row) -> &str {
    if row.reason.is_empty() {
        "Pending"
    } else {
        &row.reason
    }
}

/// What people see as its name.
pub fn title(row: &Row) -> &str {
    if row.display_name.is_empty() {
        &row.name
    } else {
        &row.display_name
    }
}

/// The page that is asked for.
pub fn select(rows: &BTreeMap<Key, Row>, asked: &Asked) -> Selected {
    let words: Vec<String> = asked
        .search
        .split_whitespace()
        .map(str::to_lowercase)
        .collect();
    let mut found: Vec<&Row> = rows
        .values()
        .filter(|row| wanted(row, asked, &words))
        .collect();
    sort(&mut found, asked);
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = asked.page.clamp(1, pages);
    let shown = found.iter().skip((page - 1) * PAGE).take(PAGE);
    let attention = |row: &&Row| matches!(need(row), Need::Act | Need::Wait);
    Selected {
        rows: shown.map(|row| (*row).clone()).collect(),
        found: found.len(),
        all: rows.len(),
        attention: rows.values().filter(attention).count(),
        tenants: rows
            .values()
            .map(|row| row.tenant.clone())
            .filter(|tenant| !tenant.is_empty())
            .collect(),
        page,
        pages,
    }
}

fn wanted(row: &Row, asked: &Asked, words: &[String]) -> bool {
    let state = match asked.state {
        State::Any => true,
        State::Ready => need(row) == Need::Nothing,
        State::Attention => matches!(need(row), Need::Act | Need::Wait),
        State::Suspended => need(row) == Need::Suspended,
    };
    state
        && (asked.tenant.is_empty() || asked.tenant == row.tenant)
        && (asked.kind.is_empty() || asked.kind == row.kind)
        && (!asked.first_party || row.first_party)
        && (asked.namespaces.is_empty() || asked.namespaces.contains(&row.namespace))
        && words.iter().all(|word| contains(row, word))
}

fn contains(row: &Row, word: &str) -> bool {
    // Kubernetes names are lower case already.
    let plain = [&row.name, &row.namespace, &row.tenant];
    let mixed = [&row.display_name, &row.client_id, &row.reason];
    plain.into_iter().any(|text| text.contains(word))
        || mixed
            .into_iter()
            .any(|text| text.to_lowercase().contains(word))
}

fn sort(rows: &mut [&Row], asked: &Asked) {
    // They come by namespace and name, and a stable sort keeps that among equals.
    match asked.sort {
        Column::Namespace => {}
        Column::Name => rows.sort_by_cached_key(|row| title(row).to_lowercase()),
        Column::Tenant => rows.sort_by(|one, other| one.tenant.cmp(&other.tenant)),
        Column::Status => rows.sort_by_key(|row| need(row)),
        Column::Age => rows.sort_by_key(|row| Reverse(row.created)),
    }
    if asked.descending {
        rows.reverse();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::form::Fields;

    fn row(namespace: &str, name: &str, ready: &str, reason: &str) -> Row {
        Row {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            client_id: format!("{namespace}.{name}"),
            kind: "Confidential".to_owned(),
            tenant: "default".to_owned(),
            ready: ready.to_owned(),
            reason: reason.to_owned(),
            ..Row::default()
        }
    }

    fn keyed(rows: impl IntoIterator<Item = Row>) -> BTreeMap<Key, Row> {
        rows.into_iter()
            .map(|row| ((row.namespace.clone(), row.name.clone()), row))
            .collect()
    }

    fn names(rows: &BTreeMap<Key, Row>, query: &str) -> Vec<String> {
        let selected = select(rows, &Asked::read(&Fields::parse(query.as_bytes())));
        assert_eq!(selected.found, selected.rows.len());
        selected.rows.into_iter().map(|row| row.name).collect()
    }

    fn some() -> BTreeMap<Key, Row> {
        let shop = Row {
            display_name: "Zebra Shop".to_owned(),
            first_party: true,
            created: 5,
            ..row("team", "shop", "True", "Registered")
        };
        let public = Row {
            kind: "Public".to_owned(),
            tenant: "other".to_owned(),
            created: 9,
            ..row("apps", "spa", "False", "TenantNotFound")
        };
        keyed([
            shop,
            public,
            row("team", "new", "Unknown", "Pending"),
            row("team", "off", "False", "Suspended"),
        ])
    }

    #[test]
    fn filters_and_search_leave_what_is_asked_for() {
        let rows = some();
        for (query, expected) in [
            ("", &["spa", "new", "off", "shop"][..]),
            ("q=zebra", &["shop"]),
            ("q=TEAM+sho", &["shop"]),
            ("q=tenantnot", &["spa"]),
            ("q=absent", &[]),
            ("state=ready", &["shop"]),
            ("state=attention", &["spa", "new"]),
            ("state=suspended", &["off"]),
            ("type=Public", &["spa"]),
            ("tenant=default", &["new", "off", "shop"]),
            ("first-party=true", &["shop"]),
            ("ns=apps", &["spa"]),
            ("sort=name", &["new", "off", "spa", "shop"]),
            ("sort=status", &["spa", "new", "off", "shop"]),
            ("sort=age", &["spa", "shop", "new", "off"]),
            ("sort=-namespace", &["shop", "off", "new", "spa"]),
        ] {
            assert_eq!(names(&rows, query), expected, "{query}");
        }
    }

    #[test]
    fn a_page_beyond_the_last_is_the_last() {
        let rows =
            keyed((0..120).map(|number| row("a", &format!("c{number:03}"), "True", "Registered")));
        let at = |page: &str| select(&rows, &Asked::read(&Fields::parse(page.as_bytes())));
        assert_eq!((at("").rows.len(), at("").pages), (50, 3));
        assert_eq!(at("page=3").rows.len(), 20);
        assert_eq!(at("page=99"), at("page=3"));
        assert_eq!(select(&BTreeMap::new(), &Asked::default()).pages, 1);
    }

    proptest! {
        #[test]
        fn the_pages_together_are_all_that_was_found(count in 0_usize..130, descending: bool, column in 0_usize..5) {
            let sort = ["name", "namespace", "tenant", "status", "age"][column];
            let rows = keyed((0..count).map(|number| Row { created: i64::try_from(number % 7).unwrap(), ..row(["a", "b"][number % 2], &format!("c{number}"), ["True", "False"][number % 2], "Registered") }));
            let sign = if descending { "-" } else { "" };
            let page = |number: usize| select(&rows, &Asked::read(&Fields::parse(format!("sort={sign}{sort}&page={number}").as_bytes())));
            let mut seen = BTreeSet::new();
            for number in 1..=page(1).pages {
                for row in page(number).rows {
                    prop_assert!(seen.insert((row.namespace, row.name)));
                }
            }
            prop_assert_eq!(seen.len(), count);
        }
    }
}
