//! The ledger of generations of a client secret: which was asked for, which is published, which is
//! the oldest that still authenticates.
//!
//! It lies in `status.secretGeneration` and only rises. The order of writes follows from it: ask
//! (ledger), publish (Secret), record (ledger), retire (ledger). An exhaustive model in the tests
//! crashes replicas between these writes and finds no published secret that does not authenticate.

/// The generations of one client secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ledger {
    /// The generation that the Secret shall hold.
    pub requested: u32,
    /// The highest generation known to have been written into the Secret.
    pub published: u32,
    /// The lowest generation that authenticates.
    pub oldest_accepted: u32,
}

impl Ledger {
    /// No ledger yet means generation 1, asked for and not published.
    pub const FIRST: Self = Self {
        requested: 1,
        published: 0,
        oldest_accepted: 1,
    };

    /// The ledger that a status claims, made consistent: numbers of a forged or damaged status can
    /// raise a floor, but never lower one below the first generation.
    pub fn from_status(requested: u32, published: u32, oldest_accepted: u32) -> Self {
        let requested = requested.max(1).max(published);
        Self {
            requested,
            published,
            oldest_accepted: oldest_accepted.clamp(1, requested),
        }
    }

    /// Whether a verified secret of this generation authenticates.
    ///
    /// A generation above the one published is accepted: it cannot be guessed, and a replica whose
    /// watch lags must not refuse a secret that another one has already published.
    pub fn accepts(self, generation: u32) -> bool {
        generation >= self.oldest_accepted
    }

    /// Asks for the next generation.
    #[must_use]
    pub fn request_next(self) -> Self {
        Self {
            requested: self.requested.saturating_add(1),
            ..self
        }
    }

    /// Records what was found in our Secret: a verified value may raise the ledger, never lower it.
    #[must_use]
    pub fn found(self, generation: u32) -> Self {
        Self {
            requested: self.requested.max(generation),
            published: self.published.max(generation),
            ..self
        }
    }

    /// Retires every generation before the published one.
    #[must_use]
    pub fn retire_old(self) -> Self {
        self.retire_before(self.published)
    }

    /// Retires every generation before this one, but never the published one.
    #[must_use]
    pub fn retire_before(self, generation: u32) -> Self {
        Self {
            oldest_accepted: self.oldest_accepted.max(generation.min(self.published)),
            ..self
        }
    }
}

#[cfg(test)]
mod model;
