//! Cuts the items out of the JSON text of a list as its bytes arrive. What it means is read by `serde_json`: this file counts
//! brackets, and what it cuts wrongly does not parse.

mod path;
mod tokens;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use serde::Deserialize;
use serde::de::IgnoredAny;

use path::WithoutPath;
use tokens::{Token, Tokens};

/// The longest text of one item. etcd takes 1.5 MiB; base64 and escapes make more of it.
const LONGEST_ITEM: usize = 32 << 20;
/// The longest text around the items.
const LONGEST_ENVELOPE: usize = 1 << 20;

/// What is not read here, and is often half of an object.
const MANAGED_FIELDS: &[&str] = &["metadata", "managedFields"];
/// The same in an event of a watch.
const MANAGED_FIELDS_OF_EVENT: &[&str] = &["object", "metadata", "managedFields"];

/// The text is no list. The sentence quotes nothing: it may come from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        let (kind, at) = (error.classify(), error.column());
        Self(format!(
            "the JSON is not as expected ({kind:?}, byte {at} of it)"
        ))
    }
}

/// Where in the list the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Before,
    Items,
    After,
}

/// Cuts a list into what is around its items and the items, without their managedFields.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing about the place in the text"
)]
pub struct ListCutter {
    tokens: Tokens,
    part: Part,
    /// How many brackets are open.
    depth: usize,
    /// The name of the field of the list that is being read.
    key: Vec<u8>,
    expects_key: bool,
    reads_key: bool,
    /// The list without its items.
    envelope: Vec<u8>,
    item: WithoutPath,
    /// Whether the item was handed out, so that the next one begins.
    handed_out: bool,
    after_comma: bool,
}

impl Default for ListCutter {
    fn default() -> Self {
        Self {
            tokens: Tokens::default(),
            part: Part::Before,
            depth: 0,
            key: Vec::new(),
            expects_key: false,
            reads_key: false,
            envelope: Vec::new(),
            item: WithoutPath::new(MANAGED_FIELDS),
            handed_out: true,
            after_comma: false,
        }
    }
}

impl ListCutter {
    /// Takes in bytes from the front until an item is complete or no byte is left. Whether [`ListCutter::item`] is one.
    pub fn advance(&mut self, bytes: &mut &[u8]) -> Result<bool, Malformed> {
        if std::mem::take(&mut self.handed_out) {
            self.item.clear();
        }
        while !bytes.is_empty() {
            let (length, token) = self.tokens.next(bytes);
            let (run, rest) = bytes.split_at(length);
            *bytes = rest;
            let complete = if self.part == Part::Items {
                self.within_items(token, run)?
            } else {
                self.around_items(token, run)?
            };
            if complete {
                self.handed_out = true;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The item that is complete.
    pub fn item(&self) -> &[u8] {
        self.item.text()
    }

    /// What the list says of itself, once all of it has come.
    pub fn finish(&self) -> Result<ListMeta, Malformed> {
        #[derive(Deserialize)]
        struct Envelope {
            metadata: ListMeta,
            /// Read, so that a second list of items is refused and `null` is none.
            #[serde(default)]
            #[expect(dead_code, reason = "its form is what is checked")]
            items: Option<Vec<IgnoredAny>>,
        }
        let envelope: Envelope = serde_json::from_slice(&self.envelope)?;
        Ok(envelope.metadata)
    }

    fn around_items(&mut self, token: Token, run: &[u8]) -> Result<bool, Malformed> {
        self.envelope.extend_from_slice(run);
        if self.envelope.len() > LONGEST_ENVELOPE {
            return Err(Malformed(
                "what is around the items is larger than 1 MiB".to_owned(),
            ));
        }
        let of_list = self.depth == 1;
        match token {
            Token::Open { object } => {
                if of_list && !object && !self.expects_key && self.key_is_items() {
                    self.part = Part::Items;
                    self.after_comma = false;
                }
                self.expects_key = self.depth == 0 && object;
                self.depth += 1;
            }
            Token::Close => {
                let without = || Malformed("a bracket closes that was not opened".to_owned());
                self.depth = self.depth.checked_sub(1).ok_or_else(without)?;
                self.expects_key = false;
            }
            Token::Comma if of_list => self.expects_key = true,
            Token::Colon if of_list => self.expects_key = false,
            Token::Quote if of_list && self.expects_key => {
                self.reads_key = true;
                self.key.clear();
            }
            Token::EndQuote => self.reads_key = false,
            Token::Letters if self.reads_key => self.key.extend_from_slice(run),
            _ => {}
        }
        Ok(false)
    }

    /// Whether the field is the one with the items. The API server escapes no letter of it; who does is understood.
    fn key_is_items(&self) -> bool {
        if self.part != Part::Before {
            return false;
        }
        let quoted = [b"\"", &*self.key, b"\""].concat();
        serde_json::from_slice::<String>(&quoted).is_ok_and(|key| key == "items")
    }

    fn within_items(&mut self, token: Token, run: &[u8]) -> Result<bool, Malformed> {
        let between = self.depth == 2;
        match token {
            Token::Comma if between => return self.end_of_item(true),
            Token::Close if between => {
                self.envelope.extend_from_slice(run);
                self.part = Part::After;
                self.depth = 1;
                return if self.item.is_empty() && !self.after_comma {
                    Ok(false)
                } else {
                    self.end_of_item(false)
                };
            }
            Token::Open { .. } => self.depth += 1,
            Token::Close => self.depth -= 1,
            _ => {}
        }
        self.item.take(token, run);
        if self.item.text().len() > LONGEST_ITEM {
            return Err(Malformed("an object is larger than 32 MiB".to_owned()));
        }
        Ok(false)
    }

    fn end_of_item(&mut self, after_comma: bool) -> Result<bool, Malformed> {
        self.after_comma = after_comma;
        if self.item.is_empty() {
            return Err(Malformed("there is no object beside a comma".to_owned()));
        }
        Ok(true)
    }
}

/// The text of an event of a watch without the managedFields of its object.
pub fn lean_event(text: &[u8]) -> Vec<u8> {
    let (mut tokens, mut lean) = (Tokens::default(), WithoutPath::new(MANAGED_FIELDS_OF_EVENT));
    let mut rest = text;
    while !rest.is_empty() {
        let (length, token) = tokens.next(rest);
        let (run, after) = rest.split_at(length);
        lean.take(token, run);
        rest = after;
    }
    lean.into_text()
}

#[cfg(test)]
mod tests;
