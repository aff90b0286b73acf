//! The text of an object without the value at one path.

use super::tokens::Token;

/// Copies the text of an object, with `null` for the value at a path. A key that is written with escapes is another key.
#[derive(Debug)]
pub struct WithoutPath {
    path: &'static [&'static str],
    text: Vec<u8>,
    depth: usize,
    /// How many keys of the path lead to where the text is. The fields of that object lie one bracket deeper.
    matched: usize,
    key: Vec<u8>,
    expects_key: bool,
    reads_key: bool,
    drops: bool,
}

impl WithoutPath {
    /// Nothing has come yet.
    pub fn new(path: &'static [&'static str]) -> Self {
        Self {
            path,
            text: Vec::new(),
            depth: 0,
            matched: 0,
            key: Vec::new(),
            expects_key: false,
            reads_key: false,
            drops: false,
        }
    }

    /// Begins again, in the memory of the former one unless that was large.
    pub fn clear(&mut self) {
        const KEPT: usize = 64 << 10;
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.shrink_to(KEPT);
        *self = Self {
            text,
            ..Self::new(self.path)
        };
    }

    /// What was copied.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// What was copied.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// Whether nothing but blanks has come.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes in the next piece.
    pub fn take(&mut self, token: Token, run: &[u8]) {
        if self.text.is_empty() && token == Token::Other && run.trim_ascii().is_empty() {
            return;
        }
        let of_path = self.depth == self.matched + 1;
        match token {
            Token::Close => {
                self.drops &= !of_path;
                self.leave();
            }
            Token::Comma if of_path => {
                self.drops = false;
                self.expects_key = true;
            }
            _ => {}
        }
        if !self.drops {
            self.text.extend_from_slice(run);
        }
        match token {
            Token::Open { object } => self.enter(object, of_path),
            Token::Colon if of_path => {
                self.expects_key = false;
                let last = self.matched + 1 == self.path.len();
                if last && self.key_is_next() {
                    self.text.extend_from_slice(b"null");
                    self.drops = true;
                }
            }
            Token::Quote if of_path && self.expects_key => {
                self.reads_key = true;
                self.key.clear();
            }
            Token::EndQuote => self.reads_key = false,
            Token::Letters if self.reads_key => self.key.extend_from_slice(run),
            _ => {}
        }
    }

    fn key_is_next(&self) -> bool {
        let next = self.path.get(self.matched);
        next.is_some_and(|next| next.as_bytes() == self.key)
    }

    fn enter(&mut self, object: bool, of_path: bool) {
        let on_path = of_path && object && !self.expects_key && self.key_is_next();
        if on_path && self.matched + 1 < self.path.len() {
            self.matched += 1;
        }
        self.depth += 1;
        if self.depth == self.matched + 1 {
            self.expects_key = object;
        }
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth > 0 && self.depth == self.matched {
            self.matched -= 1;
        }
        if self.depth == self.matched + 1 {
            self.expects_key = false;
        }
    }
}
