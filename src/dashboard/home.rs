//! `GET /`: how many clients there are, and what needs attention.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::remedy;
use jiff::Timestamp;

use crate::cluster::table::Row;
use crate::list::select::{Need, is_overlap_held, is_unused, need, reason};
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;
use crate::root_key::{self, RootKey};

/// The most tenants and reasons that are listed.
const MOST: usize = 20;

/// A number with the address of the list that it counts.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    name: String,
    count: usize,
    address: String,
    /// What it means.
    about: &'static str,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    chrome: Chrome,
    all: usize,
    ready: usize,
    suspended: usize,
    unused: usize,
    /// How many still accept an old client secret.
    overlap: usize,
    /// The root keys, or why they are not known.
    root_keys: Result<Vec<RootKey>, String>,
    reasons: Vec<Tally>,
    tenants: Vec<Tally>,
    /// Namespaces that are shown, where the person sees only those that they type.
    partial: bool,
}

impl HomePage {
    /// Whether something needs a person.
    fn needs_attention(&self) -> bool {
        let old_key = self.root_keys.iter().flatten().any(|key| key.old);
        !self.reasons.is_empty() || self.unused > 0 || self.overlap > 0 || old_key
    }
}

/// The page.
pub async fn show(person: Caller) -> Result<Response, Problem> {
    let own = Some(person.namespace.clone()).filter(|own| !own.is_empty());
    let typed: Vec<String> = own.into_iter().collect();
    let listed = person.rows.read(&person.cluster, &typed);
    let (kept, root_keys) = futures::join!(listed, root_key::read(&person));
    let kept = kept?;
    let mut page = {
        let rows = kept.rows();
        count(&person, rows.values(), kept.is_partial(), Timestamp::now())
    };
    page.root_keys = root_keys;
    html(StatusCode::OK, &page)
}

fn count<'a>(
    person: &Caller,
    rows: impl Iterator<Item = &'a Row>,
    partial: bool,
    now: Timestamp,
) -> HomePage {
    let (mut all, mut ready, mut suspended, mut unused, mut overlap) = (0, 0, 0, 0, 0);
    let mut reasons = BTreeMap::<String, usize>::new();
    let mut tenants = BTreeMap::<String, usize>::new();
    for row in rows {
        all += 1;
        match need(row) {
            Need::Nothing => ready += 1,
            Need::Suspended => suspended += 1,
            Need::Act | Need::Wait => *reasons.entry(reason(row).to_owned()).or_default() += 1,
        }
        unused += usize::from(is_unused(row, now));
        overlap += usize::from(is_overlap_held(row));
        *tenants.entry(row.tenant.clone()).or_default() += 1;
    }
    HomePage {
        chrome: Chrome::new(person, Section::Home),
        all,
        ready,
        suspended,
        unused,
        overlap,
        root_keys: Ok(Vec::new()),
        reasons: counts(reasons, "/clients?state=attention&q="),
        tenants: counts(tenants, "/clients?tenant="),
        partial,
    }
}

/// The largest first.
fn counts(of: BTreeMap<String, usize>, address: &str) -> Vec<Tally> {
    let mut counts: Vec<Tally> = of
        .into_iter()
        .map(|(name, count)| {
            let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
            Tally {
                address: format!("{address}{encoded}"),
                about: remedy(&name).map_or("", |known| known.meaning),
                name,
                count,
            }
        })
        .collect();
    counts.sort_by_key(|one| std::cmp::Reverse(one.count));
    counts.truncate(MOST);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_comes_first_and_leads_to_its_list() {
        let of = BTreeMap::from([("a b".to_owned(), 1), ("TenantNotFound".to_owned(), 3)]);
        let counts = counts(of, "/clients?q=");
        assert_eq!(
            (counts[0].name.as_str(), counts[0].count),
            ("TenantNotFound", 3)
        );
        assert!(!counts[0].about.is_empty());
        assert_eq!(counts[1].address, "/clients?q=a+b");
    }
}
