//! The pages: signing in, consent, the account, sessions, signing out.

mod account;
mod consent;
mod imported;
mod logout;
mod refusals;
mod sessions;
mod sign_in;
mod strangers;
mod whole_flow;
