//! What the tests share: a registry with real keys, and a client for its endpoints.
//!
//! What a test takes from the machine, so that it passes on every other one, too:
//!
//! | of the machine | here | where |
//! |---|---|---|
//! | environment | `PATH`, `TMPDIR`, `RUST_BACKTRACE`, `CHROMIUM`; all of it for `go` and `cargo` | `machine.rs` |
//! | proxies | none, because every server is on loopback | `machine.rs`, `cluster.rs`, `no_proxy` |
//! | `PG*` of the environment | none | `scripts/test` |
//! | `$HOME` | pinned: a folder of the build | `machine.rs` |
//! | locale | pinned: `C.UTF-8`; `en-US` is what Chromium asks pages for | `machine.rs`, Playwright |
//! | time zone | pinned: not UTC, so that local time is seen where it should not be | `machine.rs` |
//! | umask | pinned: 022 | `GUARD` in `operator.rs`, `postgres.rs`, `program.rs`; `scripts/test` |
//! | fonts | varied: DejaVu Sans and Noto Sans, each alone; an error where one is missing | `journey/fonts.rs` |
//! | processors | varied: one worker thread in `journey/program.rs`, elsewhere one per processor | `program.rs` |
//! | ports | free ones of loopback | `operator.rs` |
//! | Chromium | the machine's; its version is printed | `tests/journey/chromium.mjs` |
//! | Node.js | the machine's, 20 or newer; packages by a lockfile | `scripts/test` |
//! | PostgreSQL | the machine's, 15 or newer; a server of its own with a pinned configuration | `postgres.rs` |
//! | Kubernetes | pinned Go modules, unless `KUBEBUILDER_ASSETS` says otherwise | `cluster/tools.go` |
//! | kubectl, Helm 3 or 4 | those on `PATH`, or pinned Go modules | `cluster/tools.go` |

pub mod ask;
pub mod assertions;
pub mod browser;
pub mod clock;
pub mod cluster;
pub mod collector;
pub mod dashboard;
pub mod database_proxy;
pub mod form;
pub mod grants;
pub mod issued;
pub mod judge;
pub mod keys;
pub mod load;
pub mod logs;
pub mod machine;
pub mod maester;
pub mod operator;
pub mod people;
pub mod people_dashboard;
pub mod person;
pub mod pooler;
pub mod postgres;
pub mod proxy;
pub mod replica;
pub mod reply;
pub mod running;
pub mod running_server;
pub mod signed_in;
pub mod snapshot;
pub mod test_namespace;
pub mod test_server;
pub mod users;
pub mod verdict;
pub mod verifier;

use std::time::Duration;

/// A condition that does not come true within this has failed. Long enough for a machine that does ten things at once.
pub const DEADLINE: Duration = Duration::from_mins(1);
