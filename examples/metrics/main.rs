//! Prints `docs/reference/metrics.md`: every metric that the program registers. `make generate` writes it.

mod page;

fn main() {
    print!("{}", page::page());
}
