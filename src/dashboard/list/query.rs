//! The state of the list, as the query of its address.

use url::form_urlencoded::Serializer;

use crate::form::Fields;

/// Which clients, by what they need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// All.
    #[default]
    Any,
    /// Those that work.
    Ready,
    /// Those that do not work and are not suspended.
    Attention,
    /// Those that are suspended.
    Suspended,
    /// Those that were not used for 90 days.
    Unused,
    /// Those of which an old client secret is still accepted.
    Overlap,
}

/// By which column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// Namespace, then name: the order of the API server.
    #[default]
    Namespace,
    /// What people see: the display name, or the name.
    Name,
    /// The tenant.
    Tenant,
    /// What needs attention first.
    Status,
    /// The youngest first.
    Age,
    /// What was used last first.
    Used,
}

/// What is asked of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Words that must all occur in name, display name, namespace, client ID, tenant or reason.
    pub search: String,
    /// By what they need.
    pub state: State,
    /// Only this tenant; empty: all.
    pub tenant: String,
    /// `Confidential` or `Public`; empty: both.
    pub kind: String,
    /// Only first-party clients.
    pub first_party: bool,
    /// Only these namespaces; empty: all.
    pub namespaces: Vec<String>,
    /// By which column.
    pub sort: Column,
    /// The other way round.
    pub descending: bool,
    /// From 1.
    pub page: usize,
}

const STATES: [(&str, State); 6] = [
    ("", State::Any),
    ("ready", State::Ready),
    ("attention", State::Attention),
    ("suspended", State::Suspended),
    ("unused", State::Unused),
    ("overlap", State::Overlap),
];

const COLUMNS: [(&str, Column); 6] = [
    ("namespace", Column::Namespace),
    ("name", Column::Name),
    ("tenant", Column::Tenant),
    ("status", Column::Status),
    ("age", Column::Age),
    ("used", Column::Used),
];

/// The longest search and the most namespaces; what is more is left out.
const LONGEST: usize = 200;
const MOST_NAMESPACES: usize = 50;

impl State {
    /// As the query writes it.
    pub fn word(self) -> &'static str {
        STATES
            .iter()
            .find(|(_, state)| *state == self)
            .map_or("", |(word, _)| word)
    }
}

impl Column {
    /// As the query writes it.
    pub fn word(self) -> &'static str {
        COLUMNS
            .iter()
            .find(|(_, column)| *column == self)
            .map_or("", |(word, _)| word)
    }
}

impl Asked {
    /// Reads the query. What it does not understand is as if it were not there.
    pub fn read(fields: &Fields) -> Self {
        let text = |name: &str| -> String {
            fields
                .get(name)
                .trim()
                .chars()
                .take(LONGEST)
                .collect::<String>()
                .trim_end()
                .to_owned()
        };
        let sort = fields.get("sort");
        let column = sort.strip_prefix('-').unwrap_or(sort);
        let known = COLUMNS.iter().find(|(word, _)| *word == column);
        let state = STATES.iter().find(|(word, _)| *word == fields.get("state"));
        let mut namespaces: Vec<String> = Vec::new();
        // One field may hold several, as a person types them.
        let typed = fields.all("ns").flat_map(|typed| typed.split([',', ' ']));
        for namespace in typed
            .filter(|typed| !typed.is_empty())
            .take(MOST_NAMESPACES)
        {
            if !namespaces.iter().any(|known| known == namespace) {
                namespaces.push(namespace.to_owned());
            }
        }
        Self {
            search: text("q"),
            state: state.map_or(State::Any, |(_, state)| *state),
            tenant: text("tenant"),
            kind: Some(text("type"))
                .filter(|kind| matches!(kind.as_str(), "Confidential" | "Public"))
                .unwrap_or_default(),
            first_party: fields.get("first-party") == "true",
            namespaces,
            sort: known.map_or(Column::Namespace, |(_, column)| *column),
            descending: known.is_some() && sort.starts_with('-'),
            page: fields
                .get("page")
                .parse()
                .ok()
                .filter(|page| *page > 0)
                .unwrap_or(1),
        }
    }

    /// The address of this state. What has its default is left out.
    pub fn address(&self) -> String {
        let mut query = Serializer::new(String::new());
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        };
        add("q", &self.search);
        add("state", self.state.word());
        add("tenant", &self.tenant);
        add("type", &self.kind);
        add("first-party", if self.first_party { "true" } else { "" });
        for namespace in &self.namespaces {
            add("ns", namespace);
        }
        add("sort", &self.sort_word());
        if self.page > 1 {
            add("page", &self.page.to_string());
        }
        match query.finish() {
            query if query.is_empty() => "/clients".to_owned(),
            query => format!("/clients?{query}"),
        }
    }

    /// The value of `sort`; empty for the order of the API server.
    pub fn sort_word(&self) -> String {
        match (self.sort, self.descending) {
            (Column::Namespace, false) => String::new(),
            (column, false) => column.word().to_owned(),
            (column, true) => format!("-{}", column.word()),
        }
    }

    /// The same list from its beginning, by this column; by the same one again, the other way round.
    pub fn sorted(&self, column: Column) -> Self {
        Self {
            sort: column,
            descending: self.sort == column && !self.descending,
            page: 1,
            ..self.clone()
        }
    }

    /// Another page of the same list.
    pub fn at(&self, page: usize) -> Self {
        Self {
            page,
            ..self.clone()
        }
    }

    /// Whether something is left out.
    pub fn filters(&self) -> bool {
        let everything = Self {
            sort: self.sort,
            descending: self.descending,
            page: self.page,
            ..Self::default()
        };
        *self != everything
    }

    /// What to list where the person may list neither everywhere nor namespaces.
    pub fn namespaces_to_list(&self, own: &str) -> Vec<String> {
        match (self.namespaces.is_empty(), own) {
            (true, "") => Vec::new(),
            (true, own) => vec![own.to_owned()],
            (false, _) => self.namespaces.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(query: &str) -> Asked {
        Asked::read(&Fields::parse(query.as_bytes()))
    }

    #[test]
    fn nothing_asked_is_the_bare_address() {
        assert_eq!(read("").address(), "/clients");
        assert_eq!(
            read("q=&state=&tenant=&sort=namespace&page=1").address(),
            "/clients"
        );
        assert!(!read("sort=-age&page=3").filters());
        assert!(read("q=a").filters());
    }

    #[test]
    fn what_is_not_understood_is_as_if_it_were_not_there() {
        let odd = read("state=odd&sort=-odd&type=odd&page=-1&first-party=maybe&x=y");
        assert_eq!(odd.address(), "/clients");
    }

    #[test]
    fn a_column_that_is_chosen_twice_turns_round() {
        let once = read("q=a&page=7").sorted(Column::Age);
        assert_eq!(once.address(), "/clients?q=a&sort=age");
        assert_eq!(once.sorted(Column::Age).address(), "/clients?q=a&sort=-age");
        assert_eq!(
            once.sorted(Column::Age).sorted(Column::Age).address(),
            once.address()
        );
        assert_eq!(
            once.sorted(Column::Name).address(),
            "/clients?q=a&sort=name"
        );
    }

    #[test]
    fn namespaces_are_typed_together_or_apart() {
        assert_eq!(read("ns=a,b+c&ns=d&ns=a").namespaces, ["a", "b", "c", "d"]);
        assert_eq!(read("").namespaces_to_list("own"), ["own"]);
        assert!(read("").namespaces_to_list("").is_empty());
    }

    proptest! {
        #[test]
        fn an_address_reads_back_as_what_was_asked(query in "(\\PC|&|=|%|-){0,80}", sort in "-?(name|namespace|tenant|status|age|x)", page in 0_usize..9) {
            let asked = read(&format!("sort={sort}&page={page}&q={query}&ns={query}&{query}"));
            let address = asked.address();
            let again = read(address.split_once('?').map_or("", |(_, query)| query));
            prop_assert_eq!(&again, &asked);
            prop_assert_eq!(again.address(), address);
        }
    }
}
