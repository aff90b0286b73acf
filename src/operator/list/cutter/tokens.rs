//! JSON text in pieces that matter to who counts brackets.

/// A piece of JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `{` or `[`.
    Open {
        /// Whether it is `{`.
        object: bool,
    },
    /// `}` or `]`.
    Close,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// The quote before a string.
    Quote,
    /// A part of a string, as it is written.
    Letters,
    /// The quote after a string.
    EndQuote,
    /// Numbers, literals, blanks, and what is no JSON.
    Other,
}

/// Where in the text the next piece begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens {
    in_string: bool,
    escaped: bool,
}

impl Tokens {
    /// The length of the next piece and what it is, of a text that is not empty. The text may be cut anywhere.
    pub fn next(&mut self, text: &[u8]) -> (usize, Token) {
        if self.in_string {
            return self.within_string(text);
        }
        let token = match text[0] {
            b'{' => Token::Open { object: true },
            b'[' => Token::Open { object: false },
            b'}' | b']' => Token::Close,
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' => {
                self.in_string = true;
                Token::Quote
            }
            _ => {
                let other =
                    |byte: &u8| !matches!(byte, b'{' | b'[' | b'}' | b']' | b':' | b',' | b'"');
                let end = text.iter().position(|byte| !other(byte));
                return (end.unwrap_or(text.len()), Token::Other);
            }
        };
        (1, token)
    }

    fn within_string(&mut self, text: &[u8]) -> (usize, Token) {
        if std::mem::take(&mut self.escaped) {
            return (1, Token::Letters);
        }
        let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        match end {
            Some(0) if text[0] == b'"' => {
                self.in_string = false;
                (1, Token::EndQuote)
            }
            Some(0) => {
                self.escaped = true;
                (1, Token::Letters)
            }
            end => (end.unwrap_or(text.len()), Token::Letters),
        }
    }
}
