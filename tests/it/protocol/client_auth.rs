//! How a client authenticates: by a secret, by an assertion, by a token of a ServiceAccount.

mod assertions;
mod authentication;
mod service_accounts;
mod usage;
