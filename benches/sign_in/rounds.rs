//! Paired rounds: every server is measured once in each, in random order.

use std::path::Path;

use crate::running::Running;
use crate::statistics::{Samples, random_order, ratio};
use crate::wrk::{self, Sample};
use crate::{Options, ours};

/// More codes than anything of this kind exchanges in a second on one core.
const PER_SECOND: usize = 4000;
/// Requests that may be on their way when a run ends: whether they were answered is unknown.
const IN_FLIGHT: usize = 64;

/// The servers of one store, and what was measured of them.
struct Measured {
    store: &'static str,
    servers: [Running; 3],
    exchange: Samples,
    refresh: Samples,
    limit: Samples,
    control: Samples,
}

impl Measured {
    fn start(store: &'static str, url: &dyn Fn(&str) -> String) -> Self {
        let start = |name, server| {
            let arguments = ["--serve", server, "--url", &url(name)];
            Running::start(Some(0), &arguments).unwrap()
        };
        Self {
            store,
            servers: [
                start("ours.db", "ours"),
                start("limit.db", "limit"),
                start("control.db", "limit"),
            ],
            exchange: Samples::default(),
            refresh: Samples::default(),
            limit: Samples::default(),
            control: Samples::default(),
        }
    }

    fn sample(&mut self, which: usize, seconds: u32) {
        if which == 0 {
            let (exchange, refresh) = use_codes(&mut self.servers[0], seconds);
            self.exchange.push(exchange);
            self.refresh.push(refresh);
            return;
        }
        let script = format!("{}\nwrk.body = \"a=b\"", wrk::form(&ours::application()));
        let load = |port| wrk::run(port, seconds, "/token", &script);
        let sample = self.servers[which].sample(load).unwrap();
        match which {
            1 => self.limit.push(sample),
            _ => self.control.push(sample),
        }
    }

    fn print(&self) {
        for (what, samples) in [
            ("code exchange", &self.exchange),
            ("refresh", &self.refresh),
            ("limit: two signatures, one write", &self.limit),
            ("control: the same limit again", &self.control),
        ] {
            println!(
                "| {} | {what} | {:.0} | {} | {:.0} | {} | {:.1} | {:.1} |",
                self.store,
                samples.median(|s| s.per_second),
                ratio(samples, &self.limit, |s| s.per_second),
                samples.median(|s| s.cpu),
                // The other way round, so that above 1 is better in both columns.
                ratio(&self.limit, samples, |s| s.cpu),
                samples.median(|s| s.p50),
                samples.median(|s| s.p99),
            );
        }
    }
}

/// Exchanges fresh codes, then uses the refresh tokens of the families that began with them.
fn use_codes(server: &mut Running, seconds: u32) -> (Sample, Sample) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forms");
    let count = PER_SECOND * seconds as usize;
    let answer = server.ask(&format!("{count} {}", path.display())).unwrap();
    assert_eq!(answer, "done");
    let send = |extension: &str, limit: usize| {
        let script = script(&path.with_extension(extension), limit);
        let load = |port| wrk::run(port, seconds, "/token", &script);
        server.sample(load).unwrap()
    };
    let exchange = send("code", count);
    let begun = exchange.requests as usize;
    let refresh = send("refresh", begun.min(count).saturating_sub(IN_FLIGHT));
    (exchange, refresh)
}

/// Sends each form of a file once, and stops when none is left.
fn script(forms: &Path, limit: usize) -> String {
    let forms = forms.display();
    let form = wrk::form(&ours::application());
    format!(
        r#"{form}
local forms, sent = {{}}, 0
for line in io.lines("{forms}") do forms[#forms + 1] = line end
function request()
  sent = sent + 1
  if sent <= {limit} then return wrk.format(nil, nil, nil, forms[sent]) end
  wrk.thread:stop()
  return wrk.format("GET", "/jwks")
end"#
    )
}

pub fn measure(options: &Options, sqlite: &dyn Fn(&str) -> String, postgres: &dyn Fn() -> String) {
    let mut stores = [
        Measured::start("SQLite", sqlite),
        Measured::start("PostgreSQL", &|_| postgres()),
    ];
    for round in 0..=options.rounds {
        eprint!("\rround {round} of {}", options.rounds);
        for index in random_order(6) {
            stores[index / 3].sample(index % 3, options.seconds);
        }
        if round == 0 {
            // To get warm.
            for store in &mut stores {
                store.forget();
            }
        }
    }
    eprintln!();
    println!(
        "| store | answer | per second and core | ratio to the limit (95 %) | CPU µs per answer | ratio (95 %) | p50 ms | p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    stores.iter().for_each(Measured::print);
}

impl Measured {
    fn forget(&mut self) {
        for samples in [
            &mut self.exchange,
            &mut self.refresh,
            &mut self.limit,
            &mut self.control,
        ] {
            *samples = Samples::default();
        }
    }
}
