//! Tokens per second of the whole server, beside the limit of its parts, in paired rounds.
//!
//! The limit is a bare hyper server that signs the same token with a key parsed once, and looks at
//! nothing else. Every server runs in a process of its own on core 0, the load generator `wrk` on core 1.
//! A second copy of the limit is the control: the interval of that pair has to contain 1.

#[path = "../shared/limit.rs"]
mod limit;
mod ours;
#[path = "../shared/running.rs"]
mod running;
#[path = "../shared/statistics.rs"]
mod statistics;
#[path = "../shared/wrk.rs"]
mod wrk;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

use running::Running;
use statistics::{Samples, ratio};

#[derive(Parser)]
struct Options {
    /// Rounds; fewer than 14 decide nothing finer than 20 %.
    #[arg(long, default_value_t = 14)]
    rounds: usize,
    /// Seconds per server and round.
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Be a server instead.
    #[arg(long, hide = true)]
    serve: Option<Server>,
    /// Cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Server {
    Ours,
    Audited,
    Es256,
    Control,
    Unsigned,
}

impl Server {
    const ALL: [Self; 5] = [
        Self::Ours,
        Self::Audited,
        Self::Es256,
        Self::Control,
        Self::Unsigned,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::Ours => "Clientele, 10,000 clients",
            Self::Audited => "the same with a line in the audit log for every token",
            Self::Es256 => "limit: bare hyper, ES256",
            Self::Control => "control: the same limit again",
            Self::Unsigned => "limit: bare hyper, no signature",
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(server) = options.serve {
        return serve(server).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    if !wrk::is_installed() {
        eprintln!(
            "wrk generates the load and is not on the PATH: install it with `apt-get install wrk`"
        );
        return ExitCode::FAILURE;
    }
    match measure(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves on a free port, whose number is the only line of output.
fn serve(server: Server) -> io::Result<()> {
    let mut runtime = match server {
        Server::Ours | Server::Audited => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    runtime
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            println!("{}", listener.local_addr()?.port());
            match server {
                Server::Ours => ours::serve(listener, false).await,
                Server::Audited => ours::serve(listener, true).await,
                Server::Es256 | Server::Control => sign(listener, limit::es256()?).await,
                Server::Unsigned => sign(listener, Box::new(|_| vec![0; 64])).await,
            }
        })
}

async fn sign(listener: TcpListener, sign: limit::Sign) -> io::Result<()> {
    let sign = Arc::new(sign);
    limit::serve(listener, move || {
        let token = limit::token(&sign);
        std::future::ready(format!(
            r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":600,"scope":"orders.read common"}}"#
        ))
    })
    .await
}

/// A server and what was measured of it.
struct Measured {
    server: Server,
    running: Running,
    samples: Samples,
}

impl Measured {
    fn start(server: Server) -> io::Result<Self> {
        let name = server.to_possible_value();
        let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
        Ok(Self {
            server,
            running: Running::start(Some(0), &["--serve", &name])?,
            samples: Samples::default(),
        })
    }

    fn sample(&self, seconds: u32) -> io::Result<wrk::Sample> {
        let script = wrk::form(&ours::basic());
        let script = format!("{script}\nwrk.body = \"grant_type=client_credentials\"");
        self.running
            .sample(|port| wrk::run(port, seconds, "/token", &script))
    }
}

fn measure(options: &Options) -> io::Result<()> {
    let mut servers = Server::ALL
        .map(Measured::start)
        .into_iter()
        .collect::<io::Result<Vec<_>>>()?;
    for server in &servers {
        server.sample(1)?;
    }
    for round in 1..=options.rounds {
        eprint!("\rround {round} of {}", options.rounds);
        io::stderr().flush()?;
        for index in statistics::random_order(servers.len()) {
            let sample = servers[index].sample(options.seconds)?;
            servers[index].samples.push(sample);
        }
    }
    eprintln!();
    print_table(&servers);
    Ok(())
}

fn print_table(servers: &[Measured]) {
    let Some(limit) = servers
        .iter()
        .find(|measured| measured.server == Server::Es256)
    else {
        return;
    };
    println!(
        "| server | tokens/s | ratio to the ES256 limit (95 %) | CPU µs per token | ratio (95 %) | p50 ms | p99 ms | RSS MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for measured in servers {
        let samples = &measured.samples;
        println!(
            "| {} | {:.0} | {} | {:.1} | {} | {:.2} | {:.2} | {} |",
            measured.server.label(),
            samples.median(|s| s.per_second),
            ratio(samples, &limit.samples, |s| s.per_second),
            samples.median(|s| s.cpu),
            // The other way round, so that above 1 is better in both columns.
            ratio(&limit.samples, samples, |s| s.cpu),
            samples.median(|s| s.p50),
            samples.median(|s| s.p99),
            measured.running.memory(),
        );
    }
}
