//! What stands in the way, as a sentence with a remedy.

use std::{fmt, io};

/// An answer, or why there is none.
pub type Answer = Result<Outcome, Failure>;

/// What was asked, answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or yes.
    Yes,
    /// Asked, and the answer is no.
    No,
}

impl Outcome {
    /// Yes if it is so.
    pub const fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Why something could not be done.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    /// The reader of the output closed it, as `head` does, which is no failure.
    pub(crate) reader_left: bool,
}

impl Failure {
    /// A sentence that says what is wrong, where, and what to do.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            reader_left: false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            reader_left: error.kind() == io::ErrorKind::BrokenPipe,
            sentence: error.to_string(),
        }
    }
}
