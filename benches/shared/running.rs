//! A server in a process of its own: this program again, with arguments that make it one.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::wrk::{self, Sample};

/// A server in a process of its own, ended when dropped. The first line of its output is its port.
pub struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts it on one core, or on all.
    pub fn start(core: Option<u32>, arguments: &[&str]) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut command = match core {
            Some(core) => wrk::pinned(core, program.as_os_str()),
            None => Command::new(&program),
        };
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut running = Self {
            child,
            input,
            output: BufReader::new(output),
            port: 0,
        };
        running.port = running.line()?.parse().map_err(io::Error::other)?;
        Ok(running)
    }

    /// Where it listens.
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says a line to it and waits for the line that it answers.
    #[allow(dead_code, reason = "not every benchmark does")]
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        writeln!(self.input, "{line}")?;
        self.line()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// What a load measures, and the processor time that it took here.
    pub fn sample(&self, load: impl FnOnce(u16) -> io::Result<Sample>) -> io::Result<Sample> {
        let before = self.processor_time();
        let sample = load(self.port)?;
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
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1024
    }
}
