//! A Rust file as tokens, without comments and without what is compiled for tests only.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;

mod scan;

pub use scan::{Function, Import, Mod};

/// Which part of a file to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Without what is compiled for tests only.
    Production,
    /// With unit tests.
    Everything,
}

/// Every token of a file, those of tests included. Cheaper than a [`Code`].
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let stream: TokenStream = text
        .parse()
        .map_err(|error: proc_macro2::LexError| error.to_string())?;
    let mut tokens = Vec::new();
    flatten(stream, &[], &mut tokens);
    Ok(tokens)
}

/// The names that follow one of these keywords: `declared(tokens, &["struct"])`. Those inside macros count.
pub fn declared<'a>(tokens: &'a [Token], keywords: &[&str]) -> impl Iterator<Item = &'a str> {
    let pairs = tokens.windows(2);
    pairs
        .filter(move |pair| keywords.contains(&pair[0].text.as_str()))
        .map(|pair| pair[1].text.as_str())
        .filter(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// One token.
#[derive(Clone, Debug)]
pub struct Token {
    /// As written; `::` is one token.
    pub text: String,
    /// The value of a string or byte string literal.
    pub literal: Option<String>,
    /// The byte offset in the file.
    at: usize,
}

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Code {
    /// Every token, those of macros included, documentation excluded.
    pub tokens: Vec<Token>,
    /// How many lines the part has, comments included.
    pub lines: usize,
    /// Every function with a body.
    pub functions: Vec<Function>,
    /// Every `use`, one entry for each leaf of its tree.
    pub imports: Vec<Import>,
    /// Every module that is declared, in the file itself or in another one.
    pub mods: Vec<Mod>,
    imported: Vec<Range<usize>>,
}

/// A path with at least two segments, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Its segments, up to generic arguments.
    pub segments: Vec<String>,
    /// The names of the modules around it within its file.
    pub within: Vec<String>,
}

impl Code {
    /// Parses a file. Fails where a rule could not tell tests from production code.
    pub fn parse(text: &str, part: Part) -> Result<Self, String> {
        let explain = |error: syn::Error| {
            let at = error.span().start();
            format!("line {}: {error}", at.line)
        };
        let stream: TokenStream = text
            .parse()
            .map_err(|error| explain(syn::Error::from(error)))?;
        let file = syn::parse2(stream.clone()).map_err(explain)?;
        let scan = scan::Scan::of(&file, part);
        let mut tokens = Vec::new();
        flatten(stream, &scan.cut, &mut tokens);
        let code = Self {
            lines: lines(text, &scan.cut),
            functions: scan.functions,
            imports: scan.imports,
            mods: scan.mods,
            imported: scan.imported,
            tokens,
        };
        let uncut = code.tokens.windows(3).any(|window| {
            let is = |at: usize, text: &str| window[at].text == text;
            is(0, "cfg") && is(1, "(") && is(2, "test")
        });
        if uncut && part == Part::Production {
            return Err(
                "#[cfg(test)] on something that is neither an item nor a statement nor a field"
                    .to_owned(),
            );
        }
        Ok(code)
    }

    /// Whether an identifier occurs anywhere.
    pub fn has(&self, identifier: &str) -> bool {
        self.tokens.iter().any(|token| token.text == identifier)
    }

    /// Whether these tokens occur one after the other.
    pub fn has_tokens(&self, wanted: &[&str]) -> bool {
        let mut windows = self.tokens.windows(wanted.len());
        windows.any(|window| window.iter().map(|token| &token.text).eq(wanted))
    }

    /// The values of all string and byte string literals.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.tokens
            .iter()
            .filter_map(|token| token.literal.as_deref())
    }

    /// The names that follow one of these keywords, as [`declared`] finds them.
    pub fn declared(&self, keywords: &[&str]) -> impl Iterator<Item = &str> {
        declared(&self.tokens, keywords)
    }

    /// Every path with `::` outside `use`, those inside macros included.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let begin = at;
            at += 1;
            if !is_name(&self.tokens[begin]) || self.follows_a_path(begin) {
                continue;
            }
            let mut segments = vec![self.tokens[begin].text.clone()];
            while let [colons, name, ..] = &self.tokens[at..]
                && colons.text == "::"
                && is_name(name)
            {
                segments.push(name.text.clone());
                at += 2;
            }
            let offset = self.tokens[begin].at;
            if segments.len() > 1 && !self.imported.iter().any(|range| range.contains(&offset)) {
                let within = self.within(offset);
                paths.push(Path { segments, within });
            }
        }
        paths
    }

    /// Whether a token continues what stands before it: `Vec::<u8>::new` has no path `new`.
    fn follows_a_path(&self, at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map(|at| self.tokens[at].text.as_str());
        before(1) == Some("::") && before(2).is_some_and(|text| text == ">" || text == ")")
    }

    fn within(&self, offset: usize) -> Vec<String> {
        let mods = self.mods.iter();
        let inline = mods.filter(|item| {
            item.body
                .as_ref()
                .is_some_and(|body| body.contains(&offset))
        });
        inline.map(|item| item.name.clone()).collect()
    }
}

fn is_name(token: &Token) -> bool {
    token.literal.is_none()
        && token
            .text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The lines of a text without those of the ranges.
fn lines(text: &str, cut: &[Range<usize>]) -> usize {
    let line = |offset: usize| text[..offset].matches('\n').count();
    let removed = cut
        .iter()
        .map(|range| line(range.end) - line(range.start) + 1);
    text.lines().count().saturating_sub(removed.sum())
}

fn flatten(stream: TokenStream, cut: &[Range<usize>], tokens: &mut Vec<Token>) {
    let mut stream = stream.into_iter().peekable();
    while let Some(tree) = stream.next() {
        let at = offset(tree.span());
        if cut.iter().any(|range| range.contains(&at)) {
            continue;
        }
        match tree {
            TokenTree::Group(group) => flatten_group(&group, at, cut, tokens),
            TokenTree::Ident(ident) => push(tokens, ident.to_string(), None, at),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let value = value(&text);
                push(tokens, text, value, at);
            }
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                // `#![doc = …]` and `#[doc = …]` are comments.
                let is_bang =
                    |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == '!');
                let bang = stream.next_if(is_bang);
                if stream.next_if(is_doc).is_none() {
                    push(tokens, "#".to_owned(), None, at);
                    if bang.is_some() {
                        push(tokens, "!".to_owned(), None, at);
                    }
                }
            }
            TokenTree::Punct(punct) => {
                let colon =
                    |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ':');
                let joint = punct.as_char() == ':' && punct.spacing() == Spacing::Joint;
                let text = if joint && stream.next_if(colon).is_some() {
                    "::".to_owned()
                } else {
                    punct.as_char().to_string()
                };
                push(tokens, text, None, at);
            }
        }
    }
}

fn flatten_group(group: &Group, at: usize, cut: &[Range<usize>], tokens: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    };
    push(tokens, open.to_owned(), None, at);
    flatten(group.stream(), cut, tokens);
    push(tokens, close.to_owned(), None, offset(group.span_close()));
}

fn is_doc(tree: &TokenTree) -> bool {
    let TokenTree::Group(group) = tree else {
        return false;
    };
    let first = group.stream().into_iter().next();
    group.delimiter() == Delimiter::Bracket
        && matches!(first, Some(TokenTree::Ident(ident)) if ident == "doc")
}

fn push(tokens: &mut Vec<Token>, text: String, literal: Option<String>, at: usize) {
    tokens.push(Token { text, literal, at });
}

fn value(literal: &str) -> Option<String> {
    match syn::parse_str::<syn::Lit>(literal).ok()? {
        syn::Lit::Str(text) => Some(text.value()),
        syn::Lit::ByteStr(bytes) => String::from_utf8(bytes.value()).ok(),
        _ => None,
    }
}

fn offset(span: Span) -> usize {
    span.byte_range().start
}

/// Where something stands in its file, attributes included.
fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

#[cfg(test)]
mod tests;
