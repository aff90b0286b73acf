//! From all rows to one page of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use clientele_kubectl::shared::{Actor, remedy};
use jiff::Timestamp;

use super::query::{Asked, Column, State};
use crate::cluster::table::Row;
use crate::rows::Key;

/// The rows of a page.
pub const PAGE: usize = 50;
/// The most tenants to choose from: a browser is slow with thousands.
const MOST_TENANTS: usize = 200;
/// A client that was not used for this number of days counts as unused.
const UNUSED_DAYS: i64 = 90;

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
    /// The first tenants of all rows, and the one that is asked for.
    pub tenants: BTreeSet<String>,
    /// Whether there are more of them.
    pub more_tenants: bool,
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

/// Whether it was not used for 90 days, and is older.
pub fn is_unused(row: &Row, now: Timestamp) -> bool {
    let since = row.last_used.max(row.created);
    since > 0 && now.as_second().saturating_sub(since) > UNUSED_DAYS * 86_400
}

/// Whether an old client secret is still accepted beside the current one.
pub fn is_overlap_held(row: &Row) -> bool {
    !row.old_secret_until.is_empty()
}

/// The page that is asked for.
pub fn select(rows: &BTreeMap<Key, Row>, asked: &Asked, now: Timestamp) -> Selected {
    let words: Vec<String> = asked
        .search
        .split_whitespace()
        .map(str::to_lowercase)
        .collect();
    let mut found: Vec<&Row> = rows
        .values()
        .filter(|row| wanted(row, asked, &words, now))
        .collect();
    sort(&mut found, asked);
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = asked.page.clamp(1, pages);
    let shown = found.iter().skip((page - 1) * PAGE).take(PAGE);
    let attention = |row: &&Row| matches!(need(row), Need::Act | Need::Wait);
    let (tenants, more_tenants) = tenants(rows, asked);
    Selected {
        rows: shown.map(|row| (*row).clone()).collect(),
        found: found.len(),
        all: rows.len(),
        attention: rows.values().filter(attention).count(),
        tenants,
        more_tenants,
        page,
        pages,
    }
}

/// The tenants to choose from, and whether there are more of them.
fn tenants(rows: &BTreeMap<Key, Row>, asked: &Asked) -> (BTreeSet<String>, bool) {
    let all: BTreeSet<&str> = rows
        .values()
        .map(|row| row.tenant.as_str())
        .chain([asked.tenant.as_str()])
        .filter(|tenant| !tenant.is_empty())
        .collect();
    let others = all.iter().filter(|tenant| **tenant != asked.tenant);
    let most = MOST_TENANTS - usize::from(!asked.tenant.is_empty());
    let shown = others.take(most).map(|tenant| (*tenant).to_owned());
    let asked = Some(asked.tenant.clone()).filter(|tenant| !tenant.is_empty());
    (shown.chain(asked).collect(), all.len() > MOST_TENANTS)
}

fn wanted(row: &Row, asked: &Asked, words: &[String], now: Timestamp) -> bool {
    let state = match asked.state {
        State::Any => true,
        State::Ready => need(row) == Need::Nothing,
        State::Attention => matches!(need(row), Need::Act | Need::Wait),
        State::Suspended => need(row) == Need::Suspended,
        State::Unused => is_unused(row, now),
        State::Overlap => is_overlap_held(row),
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
        Column::Used => rows.sort_by_key(|row| Reverse(row.last_used)),
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

    fn of_query(rows: &BTreeMap<Key, Row>, query: &str) -> Selected {
        let now = Timestamp::from_second(100 * 86_400).unwrap();
        select(rows, &Asked::read(&Fields::parse(query.as_bytes())), now)
    }

    fn names(rows: &BTreeMap<Key, Row>, query: &str) -> Vec<String> {
        let selected = of_query(rows, query);
        assert_eq!(selected.found, selected.rows.len());
        selected.rows.into_iter().map(|row| row.name).collect()
    }

    fn some() -> BTreeMap<Key, Row> {
        let shop = Row {
            display_name: "Zebra Shop".to_owned(),
            first_party: true,
            created: 5,
            last_used: 99 * 86_400,
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
            // Created on the first day, and never used; those of unknown age do not count.
            ("state=unused", &["spa"]),
            ("sort=used", &["shop", "spa", "new", "off"]),
            ("sort=-namespace", &["shop", "off", "new", "spa"]),
        ] {
            assert_eq!(names(&rows, query), expected, "{query}");
        }
    }

    #[test]
    fn a_page_beyond_the_last_is_the_last() {
        let rows =
            keyed((0..120).map(|number| row("a", &format!("c{number:03}"), "True", "Registered")));
        let at = |page: &str| of_query(&rows, page);
        assert_eq!((at("").rows.len(), at("").pages), (50, 3));
        assert_eq!(at("page=3").rows.len(), 20);
        assert_eq!(at("page=99"), at("page=3"));
        assert_eq!(of_query(&BTreeMap::new(), "").pages, 1);
    }

    #[test]
    fn of_many_tenants_the_first_can_be_chosen_and_the_one_asked_for() {
        let rows = |count: usize| {
            keyed((0..count).map(|number| Row {
                tenant: format!("t{number:05}"),
                ..row("a", &format!("c{number}"), "True", "Registered")
            }))
        };
        let at = |rows, query: &str| of_query(rows, query);
        let few = rows(MOST_TENANTS);
        assert_eq!(at(&few, "").tenants.len(), MOST_TENANTS);
        assert!(!at(&few, "").more_tenants);
        let many = rows(300);
        for (query, one) in [
            ("", "t00199"),
            ("tenant=t00299", "t00299"),
            ("tenant=none", "none"),
        ] {
            let selected = at(&many, query);
            assert_eq!(selected.tenants.len(), MOST_TENANTS, "{query}");
            assert!(
                selected.more_tenants && selected.tenants.contains(one),
                "{query}"
            );
        }
        assert!(at(&BTreeMap::new(), "").tenants.is_empty());
    }

    proptest! {
        #[test]
        fn the_pages_together_are_all_that_was_found(count in 0_usize..130, descending: bool, column in 0_usize..6) {
            let sort = ["name", "namespace", "tenant", "status", "age", "used"][column];
            let rows = keyed((0..count).map(|number| Row { created: i64::try_from(number % 7).unwrap(), ..row(["a", "b"][number % 2], &format!("c{number}"), ["True", "False"][number % 2], "Registered") }));
            let sign = if descending { "-" } else { "" };
            let page = |number: usize| of_query(&rows, &format!("sort={sign}{sort}&page={number}"));
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
