//! The command lines, from the types that clap derives them from.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Fields, Item, Type};

use crate::messages::help;
use crate::project::Project;

use super::{escaped, head};

/// A file, the program, and the type of its command line.
const PROGRAMS: [(&str, &str); 2] = [
    ("src/clientele/", "clientele"),
    ("src/kubectl/", "kubectl clientele"),
];

/// Every struct and enum of a crate, by name.
#[derive(Default)]
struct Types(BTreeMap<String, Item>);

impl Types {
    fn take_folder(&mut self, project: &Project, folder: &str) {
        let files = project.files.iter();
        let files = files.filter(|(path, _)| path.starts_with(folder) && !path.contains("tests"));
        for (path, text) in files {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            for item in file.items {
                self.take(item);
            }
        }
    }

    /// Takes in a type; the first of a name stays.
    fn take(&mut self, item: Item) {
        let name = match &item {
            Item::Struct(item) => item.ident.to_string(),
            Item::Enum(item) => item.ident.to_string(),
            _ => return,
        };
        self.0.entry(name).or_insert(item);
    }
}

/// The page.
pub fn page(project: &Project) -> String {
    let mut page = head(
        "Command lines",
        "`src/clientele/config.rs` and `src/kubectl/args.rs`",
    );
    page.push_str("Each flag of `clientele run` can be given as an environment variable, and the flag wins.\n");
    for (folder, program) in PROGRAMS {
        let mut types = Types::default();
        types.take_folder(project, folder);
        // `clientele` has flags in common with the plugin.
        types.take_folder(project, "src/kubectl/");
        let Some(Item::Struct(root)) = types.0.get("CommandLine") else {
            panic!("{folder} has no CommandLine");
        };
        types.command(program, &root.attrs, &root.fields, &mut page);
    }
    page
}

impl Types {
    /// The section of a command, and those of the commands below it.
    fn command(&self, name: &str, attributes: &[Attribute], fields: &Fields, page: &mut String) {
        let mut rows = String::new();
        let mut below = Vec::new();
        self.rows(fields, &mut rows, &mut below);
        let options = options(attributes, "command");
        let about = options.get("about").cloned();
        let docs = help::paragraphs(attributes);
        let about = about.map_or_else(|| docs, |about| vec![about]);
        page.push_str(&format!(
            "\n## {name}\n\n{}\n",
            escaped(&about.join("\n\n"))
        ));
        if !rows.is_empty() {
            page.push_str(&format!(
                "\n| flag | variable | default | meaning |\n|---|---|---|---|\n{rows}"
            ));
        }
        if let Some(text) = options.get("after_help") {
            page.push_str(&format!("\n```text\n{text}\n```\n"));
        }
        for actions in below {
            let Some(Item::Enum(actions)) = self.0.get(&actions) else {
                continue;
            };
            for variant in &actions.variants {
                let options = self::options(&variant.attrs, "command");
                if options.contains_key("hide") {
                    continue;
                }
                let name = format!("{name} {}", kebab(&variant.ident.to_string()));
                let fields = self.arguments(&variant.fields);
                self.command(&name, &variant.attrs, fields, page);
            }
        }
    }

    /// The fields of the struct that a variant holds, or its own.
    fn arguments<'a>(&'a self, fields: &'a Fields) -> &'a Fields {
        let Fields::Unnamed(list) = fields else {
            return fields;
        };
        let held = list.unnamed.first().map(|field| innermost(&field.ty));
        match held.and_then(|name| self.0.get(&name)) {
            Some(Item::Struct(held)) => &held.fields,
            _ => fields,
        }
    }

    /// A row for each flag; the enums of the commands below are collected.
    fn rows(&self, fields: &Fields, rows: &mut String, below: &mut Vec<String>) {
        for field in fields {
            let commands = options(&field.attrs, "command");
            let held = innermost(&field.ty);
            if commands.contains_key("subcommand") {
                below.push(held);
            } else if commands.contains_key("flatten") {
                if let Some(Item::Struct(item)) = self.0.get(&held) {
                    self.rows(&item.fields, rows, below);
                }
            } else if let Some(name) = &field.ident {
                let row = self.row(&name.to_string(), &held, &field.attrs);
                rows.push_str(&row.unwrap_or_default());
            }
        }
    }

    fn row(&self, name: &str, held: &str, attributes: &[Attribute]) -> Option<String> {
        let options = options(attributes, "arg");
        if options.contains_key("hide") {
            return None;
        }
        let long = options.get("long").map(|long| {
            if long.is_empty() {
                kebab(name)
            } else {
                long.clone()
            }
        });
        let value = options.get("value_name").cloned();
        let value = value.unwrap_or_else(|| name.to_uppercase());
        let takes = held != "bool" || options.contains_key("action");
        let flag = match long {
            None => value,
            Some(long) if takes => format!("--{long} {value}"),
            Some(long) => format!("--{long}"),
        };
        let cell = |text: Option<&String>| text.map_or(String::new(), |text| format!("`{text}`"));
        let default = ["default_value", "default_value_t"];
        let default = default.into_iter().find_map(|key| options.get(key));
        let default = default.map(|text| {
            text.rsplit_once(":: ")
                .map_or(text.clone(), |(_, name)| kebab(name))
        });
        let mut meaning = help::paragraphs(attributes).join(" ");
        if let Some(values) = self.values(held) {
            meaning.push_str(&format!(": {values}"));
        }
        let env = cell(options.get("env"));
        Some(format!(
            "| `{flag}` | {env} | {} | {} |\n",
            cell(default.as_ref()),
            escaped(&meaning)
        ))
    }

    /// The values of an enum of a crate.
    fn values(&self, name: &str) -> Option<String> {
        let Some(Item::Enum(item)) = self.0.get(name) else {
            return None;
        };
        let values = item
            .variants
            .iter()
            .map(|variant| kebab(&variant.ident.to_string()));
        Some(format!("`{}`", values.collect::<Vec<_>>().join("`, `")))
    }
}

/// The name of the type in `Option<…>`, `Vec<…>` and `Box<…>`.
fn innermost(kind: &Type) -> String {
    let Type::Path(path) = kind else {
        return String::new();
    };
    let Some(last) = path.path.segments.last() else {
        return String::new();
    };
    if let syn::PathArguments::AngleBracketed(list) = &last.arguments
        && let Some(syn::GenericArgument::Type(inner)) = list.args.first()
    {
        return innermost(inner);
    }
    last.ident.to_string()
}

/// The options of an attribute: `#[arg(long, env = "X")]`. An option without a value has an empty one.
fn options(attributes: &[Attribute], name: &str) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    for attribute in attributes.iter().filter(|one| one.path().is_ident(name)) {
        let Ok(list) = attribute.meta.require_list() else {
            continue;
        };
        let trees: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
        for part in trees.split(|tree| tree.to_string() == ",") {
            let Some((name, rest)) = part.split_first() else {
                continue;
            };
            let rest: TokenStream = rest.iter().skip(1).cloned().collect();
            let text = rest.to_string();
            let value = syn::parse_str::<syn::LitStr>(&text).map_or(text, |text| text.value());
            options.insert(name.to_string(), value);
        }
    }
    options
}

/// `public_url` and `PublicUrl` as clap writes them.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (at, c) in name.chars().enumerate() {
        if c == '_' {
            kebab.push('-');
        } else {
            if c.is_uppercase() && at > 0 {
                kebab.push('-');
            }
            kebab.extend(c.to_lowercase());
        }
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_clap() {
        assert_eq!(kebab("public_url"), "public-url");
        assert_eq!(kebab("RootKey"), "root-key");
    }
}
