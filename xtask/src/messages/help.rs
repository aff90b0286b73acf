//! The doc comments that clap prints.

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, Meta};

/// What derives them prints the doc comments of the item and of all that is in it.
const DERIVES: [&str; 4] = ["Parser", "Args", "Subcommand", "ValueEnum"];

#[derive(Default)]
struct Help {
    texts: Vec<String>,
}

/// The texts of `--help` in a file: a paragraph each.
pub fn texts(file: &str) -> Vec<String> {
    let mut help = Help::default();
    if let Ok(file) = syn::parse_file(file) {
        help.visit_file(&file);
    }
    help.texts
}

impl Help {
    fn take(&mut self, attributes: &[Attribute]) {
        self.texts.extend(paragraphs(attributes));
    }
}

impl<'ast> Visit<'ast> for Help {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_printed(&item.attrs) {
            for field in &item.fields {
                self.take(&field.attrs);
            }
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if is_printed(&item.attrs) {
            for variant in &item.variants {
                self.take(&variant.attrs);
                for field in &variant.fields {
                    self.take(&field.attrs);
                }
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let for_tests = item.attrs.iter().any(|one| one.path().is_ident("cfg"));
        if !for_tests {
            visit::visit_item_mod(self, item);
        }
    }
}

fn is_printed(attributes: &[Attribute]) -> bool {
    let derives = attributes
        .iter()
        .filter(|one| one.path().is_ident("derive"));
    let mut lists = derives.filter_map(|one| Some(one.meta.require_list().ok()?.tokens.clone()));
    lists.any(|list| {
        let mut names = list.into_iter().map(|tree| tree.to_string());
        names.any(|name| DERIVES.contains(&name.as_str()))
    })
}

/// The paragraphs of a doc comment, each in one line.
pub fn paragraphs(attributes: &[Attribute]) -> Vec<String> {
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let paragraphs = lines.split(String::is_empty);
    let paragraphs = paragraphs.map(|lines| lines.join(" "));
    paragraphs.filter(|text| !text.is_empty()).collect()
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(literal) = &pair.value else {
        return None;
    };
    match &literal.lit {
        Lit::Str(text) if pair.path.is_ident("doc") => Some(text.value().trim().to_owned()),
        _ => None,
    }
}
