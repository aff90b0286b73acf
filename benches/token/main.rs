//! Tokens per second of the whole server, beside the limit of its parts, in paired rounds.
//!
//! The limit is a bare hyper server that signs the same token with a key parsed once, and looks at
//! nothing else. Every server runs in a process of its own on core 0, the load generator `wrk` on core 1.
//! A second copy of the limit is the control: the interval of that pair has to contain 1.

mod limit;
mod ours;
mod statistics;
mod wrk;

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};

use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

use statistics::{Samples, ratio};
use wrk::Sample;

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
    Es256,
    Control,
    Unsigned,
}

impl Server {
    const ALL: [Self; 4] = [Self::Ours, Self::Es256, Self::Control, Self::Unsigned];

    fn label(self) -> &'static str {
        match self {
            Self::Ours => "Clientele, 10,000 clients",
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
        Server::Ours => tokio::runtime::Builder::new_multi_thread(),
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
                Server::Ours => ours::serve(listener).await,
                Server::Es256 | Server::Control => limit::serve(listener, true).await,
                Server::Unsigned => limit::serve(listener, false).await,
            }
        })
}

/// A server in a process of its own, ended when dropped.
struct Running {
    server: Server,
    child: Child,
    port: u16,
    samples: Samples,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(server: Server) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let name = server
            .to_possible_value()
            .map_or_else(String::new, |v| v.get_name().to_owned());
        let mut command = wrk::pinned(0, program.as_os_str());
        let mut child = command
            .args(["--serve", &name])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().map_err(io::Error::other)?;
        let samples = Samples::default();
        Ok(Self {
            server,
            child,
            port,
            samples,
        })
    }

    fn sample(&self, seconds: u32) -> io::Result<Sample> {
        let before = self.processor_time();
        let sample = wrk::run(self.port, seconds, &ours::basic())?;
        let cpu = (self.processor_time() - before) / sample.requests;
        Ok(Sample { cpu, ..sample })
    }

    /// Microseconds that all threads have run so far (`proc_pid_schedstat(5)`): unlike tokens per
    /// second it hardly depends on who else uses the machine.
    fn processor_time(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let threads = threads.into_iter().flatten().flatten();
        let nanoseconds = threads.filter_map(|thread| {
            let line = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        });
        nanoseconds.sum::<f64>() / 1000.0
    }

    /// Resident memory in MiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1024
    }
}

fn measure(options: &Options) -> io::Result<()> {
    let mut servers = Server::ALL
        .map(Running::start)
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

fn print_table(servers: &[Running]) {
    let Some(limit) = servers
        .iter()
        .find(|running| running.server == Server::Es256)
    else {
        return;
    };
    println!(
        "| server | tokens/s | ratio to the ES256 limit (95 %) | CPU µs per token | ratio (95 %) | p50 ms | p99 ms | RSS MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for running in servers {
        let samples = &running.samples;
        println!(
            "| {} | {:.0} | {} | {:.1} | {} | {:.2} | {:.2} | {} |",
            running.server.label(),
            samples.median(|s| s.per_second),
            ratio(samples, &limit.samples, |s| s.per_second),
            samples.median(|s| s.cpu),
            // The other way round, so that above 1 is better in both columns.
            ratio(&limit.samples, samples, |s| s.cpu),
            samples.median(|s| s.p50),
            samples.median(|s| s.p99),
            running.memory(),
        );
    }
}

/// Whether a program can be started at all.
fn starts(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}
