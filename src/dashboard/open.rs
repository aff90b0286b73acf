//! `--open`: the browser gets the one-time token from a file that only this person can read. On a command line, every
//! process of the machine could read it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use clientele_kubectl::Failure;
use tempfile::NamedTempFile;

use crate::app::{App, Door};

/// How often to look whether the token has been used, so that the file can go.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Template)]
#[template(path = "open.html")]
struct OpenFile<'a> {
    origin: &'a str,
    token: &'a str,
}

/// Writes the file and opens it. It is removed when the token is used or expired.
pub fn open(app: Arc<App>, token: &str) -> Result<(), Failure> {
    let file = write(&app.origin, token)?;
    launch(file.path())?;
    tokio::spawn(async move {
        let waits = || match &app.door {
            Door::Token(local) => local.sessions.waits(Instant::now()),
            Door::People(_) => false,
        };
        while waits() {
            tokio::time::sleep(LOOK).await;
        }
        drop(file);
    });
    Ok(())
}

/// A file with mode 0600.
fn write(origin: &str, token: &str) -> Result<NamedTempFile, Failure> {
    let text = OpenFile { origin, token }.render();
    let text = text.map_err(|error| Failure::new(error.to_string()))?;
    let mut file = tempfile::Builder::new()
        .prefix("clientele-dashboard-")
        .suffix(".html")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// Starts the program that opens files. It may run for as long as the browser does, so a thread waits for it.
fn launch(path: &Path) -> Result<(), Failure> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let child = Command::new(program)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| no_browser(program, &error.to_string()))?;
    std::thread::spawn(move || {
        if let Ok(status) = child.wait()
            && !status.success()
        {
            eprintln!("{}", no_browser(program, &status.to_string()));
        }
    });
    Ok(())
}

fn no_browser(program: &str, why: &str) -> Failure {
    Failure::new(format!(
        "the browser cannot be opened by {program} ({why}); open the address above and press Enter here for a token"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o02_only_its_owner_reads_the_file_with_the_token() {
        let file = write("http://127.0.0.1:8090", "t0ken").unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(
            text.contains("action=\"http://127.0.0.1:8090/session\""),
            "{text}"
        );
        assert!(text.contains("value=\"t0ken\""), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.as_file().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let path = file.path().to_owned();
        drop(file);
        assert!(!path.exists());
    }
}
