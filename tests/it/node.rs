//! The packaged chart and the image on a whole node: `scripts/test node`, and `make test-node-all` for every drill.

mod drill;
mod on_node;
mod tally;
