//! What another namespace, a forger or a log could get hold of.

mod audit;
mod forgery;
mod isolation;
mod leaks;
mod poisoned;
mod rights;
