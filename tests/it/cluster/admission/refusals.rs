//! What the API server cannot judge ends in a condition with a reason and the remedy, and the server knows no such client.

mod conflict;
mod ownership;
mod policy;
mod privileges;
mod quota;
mod spoiled;
mod states;
