//! The events of the audit log, from the table that names them.

use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, Item, LitStr, Token};

use crate::messages::help;
use crate::project::Project;

use super::{escaped, head};

const SOURCE: &str = "src/telemetry/audit/event.rs";

/// The paragraph of a doc comment that lists the fields of an event begins with this.
const FIELDS: &str = "Fields: ";

const INTRODUCTION: &str = "\
The audit log records who did what, to which client, from where: one line for each action that matters to security.
It never has a secret: no password, client secret, code, token, cookie or assertion, and no input of an unauthenticated user.
A line names a user or a client only if it is registered.

Without a setting, the lines are part of the log and have the target `clientele::audit`.
With `--audit-log FILE`, or `--audit-log -` for standard output (chart: `audit.stdout`), they go there instead, one JSON object for each line, whatever `--log-level` says.
The program opens a file once and appends to it.
A request is answered after its line was handed to the one thread that writes, which gathers lines for 2 ms: a crash of the process loses these at most.
While the destination accepts no lines, 8 MiB wait.
From 4 MiB on, `--audit-when-full` decides: `refuse`, the default, answers new requests with 503 and `Retry-After`; `drop` answers them and counts the lines that are lost in `clientele_audit_lines_lost_total`.

The names below are stable, as are the fields: `timestamp`, `event`, `message` and, if known, `tenant`, `client_id`, `username`, `subject`, `from` (the visitor's address, through `--trusted-proxies`), `grant`, `error`, `reason`, `request_id`, `trace_id` (with [traces](../operations/traces.md)), `count`.
A line about an object of Kubernetes also has `kind`, `namespace`, `name` and `uid`.
`level` is `WARN` for the lines that an administrator should investigate.
The metric `clientele_audit_events_total` counts each event ([metrics](metrics.md)).

| event | when | fields beside the common ones |
|---|---|---|
";

const CLOSING: &str = "
A line for each token is off by default, because it costs throughput ([benchmarks](../benchmarks.md)).
Who changed an object is in the audit log of the Kubernetes API server; the operator sees only the new version.
";

struct Events(Vec<Event>);

struct Event {
    when: String,
    fields: String,
    name: String,
}

impl Parse for Events {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut events = Vec::new();
        while !input.is_empty() {
            let comment = help::paragraphs(&input.call(Attribute::parse_outer)?);
            let variant: Ident = input.parse()?;
            let _: Token![,] = input.parse()?;
            let name: LitStr = input.parse()?;
            let _: Token![,] = input.parse()?;
            let _: LitStr = input.parse()?;
            let _: Token![;] = input.parse()?;
            let [when, fields] = &comment[..] else {
                let message = "must have a paragraph that says when, and one that lists the fields";
                return Err(syn::Error::new(variant.span(), message));
            };
            let fields = fields.strip_prefix(FIELDS).unwrap_or(fields);
            events.push(Event {
                when: when.trim_end_matches('.').to_owned(),
                fields: fields.trim_end_matches('.').to_owned(),
                name: name.value(),
            });
        }
        Ok(Self(events))
    }
}

/// The page.
pub fn page(project: &Project) -> String {
    let text = &project.files[SOURCE];
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{SOURCE}: {error}"));
    let table = file.items.into_iter().find_map(|item| match item {
        Item::Macro(item) if item.ident.is_none() => Some(item.mac),
        _ => None,
    });
    let table = table.unwrap_or_else(|| panic!("{SOURCE}: has no table of events"));
    let events: Events = table
        .parse_body()
        .unwrap_or_else(|error| panic!("{SOURCE}: {error}"));
    let mut page = head("The audit log", &format!("`{SOURCE}`"));
    page.push_str(INTRODUCTION);
    for Event { when, fields, name } in events.0 {
        let (when, fields) = (escaped(&when), escaped(&fields));
        page.push_str(&format!("| `{name}` | {when} | {fields} |\n"));
    }
    page + CLOSING
}
