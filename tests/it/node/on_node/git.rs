//! A git repository that is served over HTTP, as Flux fetches it: by the program that git brings for web servers.

use std::convert::Infallible;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use axum::body::Body;
use axum::http::Response;
use clientele_http::server::Limits;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use tempfile::TempDir;

use super::machine::output_of;
use crate::support::machine;
use crate::support::running::Running;

/// A repository, and what is checked out of it.
pub struct Repository {
    files: TempDir,
    server: Running,
}

impl Repository {
    /// An empty one.
    pub async fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let root = files.path().to_owned();
        let service = tower::service_fn(move |request: Request<Incoming>| {
            let root = root.clone();
            async move { Ok::<_, Infallible>(answer(&root, request).await) }
        });
        let server = Running::start(service, None, Limits::default()).await;
        let repository = Self { files, server };
        repository.git(&["init", "--bare", "--initial-branch=main", "platform.git"]);
        repository.git(&["clone", "--quiet", "platform.git", "work"]);
        repository
    }

    /// Where it is fetched from.
    pub fn url(&self) -> String {
        format!("http://{}/platform.git", self.server.address)
    }

    /// Where to write what the next commit has.
    pub fn work(&self) -> std::path::PathBuf {
        self.files.path().join("work")
    }

    /// Commits everything; returns the name of the commit.
    pub fn commit(&self, message: &str) -> String {
        for arguments in [
            &["-C", "work", "add", "--all"][..],
            &["-C", "work", "commit", "--quiet", "--message", message],
            &["-C", "work", "push", "--quiet", "origin", "HEAD:main"],
        ] {
            self.git(arguments);
        }
        self.git(&["-C", "work", "rev-parse", "HEAD"])
            .trim()
            .to_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = machine::program("git");
        git.args([
            "-c",
            "user.name=Platform",
            "-c",
            "user.email=platform@example.com",
        ])
        .args(arguments)
        .current_dir(self.files.path());
        tokio::task::block_in_place(|| output_of(&mut git)).unwrap()
    }
}

async fn answer(root: &Path, request: Request<Incoming>) -> Response<Body> {
    let header = |name: &str| {
        let value = request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut backend = machine::program("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", request.uri().path())
        .env("QUERY_STRING", request.uri().query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    backend.env("CONTENT_LENGTH", body.len().to_string());
    let output = tokio::task::spawn_blocking(move || {
        let mut child = backend.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&body).unwrap();
        child.wait_with_output().unwrap().stdout
    });
    response(&output.await.unwrap())
}

/// What a program for web servers prints: header fields, among them the status, an empty line, and the body.
fn response(printed: &[u8]) -> Response<Body> {
    let end = printed
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&printed[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap()),
            _ => response.header(name, value),
        };
    }
    response
        .body(Body::from(printed[end + 4..].to_vec()))
        .unwrap()
}
