//! The items of a file: functions, imports, modules, and what is compiled for tests only.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, File, ImplItem, Item, TraitItem, UseTree};

use super::{Part, range};

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The lines from its signature to its closing brace.
    pub lines: usize,
}

/// A leaf of a `use`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The path to what is imported; for `*`, to the module.
    pub segments: Vec<String>,
    /// The name in this file; `None` for `*`.
    pub name: Option<String>,
    /// The names of the modules around it within its file.
    pub within: Vec<String>,
}

/// A declared module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mod {
    /// Its name.
    pub name: String,
    /// The names of the modules around it within its file.
    pub within: Vec<String>,
    /// Where its body stands, unless that is another file.
    pub body: Option<Range<usize>>,
    /// Whether it is compiled for tests only.
    pub for_tests: bool,
    /// Whether `#[path]` names another file than the usual one.
    pub has_path: bool,
}

pub(super) struct Scan {
    part: Part,
    within: Vec<String>,
    pub(super) cut: Vec<Range<usize>>,
    pub(super) functions: Vec<Function>,
    pub(super) imports: Vec<Import>,
    pub(super) imported: Vec<Range<usize>>,
    pub(super) mods: Vec<Mod>,
}

impl Scan {
    pub(super) fn of(file: &File, part: Part) -> Self {
        let mut scan = Self {
            part,
            within: Vec::new(),
            cut: Vec::new(),
            functions: Vec::new(),
            imports: Vec::new(),
            imported: Vec::new(),
            mods: Vec::new(),
        };
        scan.visit_file(file);
        scan
    }

    /// Cuts a node out if it is compiled for tests only.
    fn cuts(&mut self, attributes: &[Attribute], node: &impl Spanned) -> bool {
        let cuts = self.part == Part::Production && for_tests(attributes);
        if cuts {
            self.cut.push(range(node));
        }
        cuts
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let begin = signature.span().start().line;
        let end = block.brace_token.span.close().end().line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            lines: end - begin + 1,
        });
    }

    fn leaves(&mut self, tree: &UseTree, mut before: Vec<String>) {
        let within = self.within.clone();
        let leaf = |segments: Vec<String>, name: Option<String>| {
            self.imports.push(Import {
                segments,
                name,
                within,
            });
        };
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.leaves(&path.tree, before);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.leaves(tree, before.clone());
                }
            }
            UseTree::Glob(_) => leaf(before, None),
            UseTree::Name(name) => {
                // `a::{self}` is `a`.
                if name.ident != "self" || before.is_empty() {
                    before.push(name.ident.to_string());
                }
                let name = before.last().cloned();
                leaf(before, name);
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" || before.is_empty() {
                    before.push(rename.ident.to_string());
                }
                leaf(before, Some(rename.rename.to_string()));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::Mod(module) = item {
            self.mods.push(Mod {
                name: module.ident.to_string(),
                within: self.within.clone(),
                body: module.content.as_ref().map(|_| range(module)),
                for_tests: for_tests(&module.attrs),
                has_path: module
                    .attrs
                    .iter()
                    .any(|attribute| attribute.path().is_ident("path")),
            });
        }
        if !self.cuts(item_attributes(item), item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.within.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.within.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.imported.push(range(item));
        self.leaves(&item.tree, Vec::new());
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !self.cuts(attributes, item) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes = match item {
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            _ => return visit::visit_trait_item(self, item),
        };
        if !self.cuts(attributes, item) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !self.cuts(&field.attrs, field) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, value: &'ast syn::FieldValue) {
        if !self.cuts(&value.attrs, value) {
            visit::visit_field_value(self, value);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if !self.cuts(&variant.attrs, variant) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !self.cuts(&arm.attrs, arm) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !self.cuts(&local.attrs, local) {
            visit::visit_local(self, local);
        }
    }

    fn visit_stmt_macro(&mut self, statement: &'ast syn::StmtMacro) {
        if !self.cuts(&statement.attrs, statement) {
            visit::visit_stmt_macro(self, statement);
        }
    }
}

/// Whether a `cfg` among them keeps the item out of every program: it needs `test`, or a feature `testing`.
fn for_tests(attributes: &[Attribute]) -> bool {
    let cfg = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    let mut predicates =
        cfg.filter_map(|attribute| Some(attribute.meta.require_list().ok()?.tokens.clone()));
    predicates.any(|predicate| !may_hold(predicate))
}

/// Whether a predicate of `cfg` may hold in a program. Of what it does not know it says yes.
fn may_hold(predicate: TokenStream) -> bool {
    let trees: Vec<TokenTree> = predicate.into_iter().collect();
    let is = |at: usize, text: &str| trees.get(at).is_some_and(|tree| tree.to_string() == text);
    match &trees[..] {
        [TokenTree::Ident(name)] => name != "test",
        [TokenTree::Ident(name), TokenTree::Group(group)] => {
            let mut parts = split(group.stream()).into_iter();
            match name.to_string().as_str() {
                "all" => parts.all(may_hold),
                "any" => parts.any(may_hold),
                _ => true,
            }
        }
        _ => !(is(0, "feature") && is(2, "\"testing\"")),
    }
}

fn split(list: TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = list.into_iter().collect();
    let parts = trees.split(|tree| tree.to_string() == ",");
    parts
        .filter(|part| !part.is_empty())
        .map(|part| part.iter().cloned().collect())
        .collect()
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
