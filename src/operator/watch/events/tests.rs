use std::collections::VecDeque;
use std::sync::Mutex;

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A part of an answer.
#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// The connection is cut.
    Cut,
    /// Nothing comes any more.
    Silence,
}

/// An answer: its code and its parts.
type Answer = (u16, Vec<Part>);

/// What answers one request after the other, and then none.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
    metrics: Arc<OperatorMetrics>,
}

impl Script {
    fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            ..Self::default()
        }
    }

    async fn client(&self) -> kube::Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let script = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(script.clone().answer(stream));
            }
        });
        kube::Client::try_from(kube::Config::new(server.parse().unwrap())).unwrap()
    }

    /// Answers one request with what is next.
    async fn answer(self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let url = head.split(' ').nth(1).unwrap().to_owned();
        self.asked.lock().unwrap().push(url);
        let next = self.answers.lock().unwrap().pop_front();
        let Some((code, parts)) = next else {
            return std::future::pending().await;
        };
        let head =
            format!("HTTP/1.1 {code} x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        for part in parts {
            match part {
                Part::Text(text) => {
                    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
                    stream.write_all(chunk.as_bytes()).await?;
                }
                Part::Cut => return Ok(()),
                Part::Silence => return std::future::pending().await,
            }
        }
        stream.write_all(b"0\r\n\r\n").await
    }

    /// The next events, in words.
    async fn tells(&self, count: usize) -> Vec<String> {
        let selection = Selection {
            what: "namespaces of a test",
            api: Api::<Namespace>::all(self.client().await),
            params: ListParams::default(),
            quotable: true,
        };
        let soon = Duration::from_millis(300);
        let list = Patience {
            answer: soon,
            silence: soon,
            longest: soon * 4,
        };
        let bounds = Bounds {
            list,
            answer: soon,
            lasts: soon,
            lasts_among_many: soon,
            margin: soon,
        };
        let events = events_within(bounds, self.metrics.clone(), Arc::default(), selection);
        events
            .take(count)
            .map(|event| in_words(&event))
            .collect()
            .await
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|url| url.replace("/api/v1/namespaces?&", ""))
            .collect()
    }
}

fn in_words(event: &Heard<Namespace>) -> String {
    match event {
        Ok(Event::Init) => "list".to_owned(),
        Ok(Event::InitApply(object)) => format!("has {}", object.name_any()),
        Ok(Event::InitDone) => "done".to_owned(),
        Ok(Event::Apply(object)) => format!("changed {}", object.name_any()),
        Ok(Event::Delete(object)) => format!("deleted {}", object.name_any()),
        Err(error) => error.to_string(),
    }
}

fn namespace(name: &str) -> Value {
    json!({ "metadata": { "name": name, "resourceVersion": "5" } })
}

fn text(value: &Value) -> Part {
    Part::Text(value.to_string() + "\n")
}

fn list(objects: &[Value], version: &str, token: &str) -> Answer {
    let metadata = json!({ "resourceVersion": version, "continue": token });
    (
        200,
        vec![text(&json!({ "items": objects, "metadata": metadata }))],
    )
}

/// The beginning of a list, with what comes then.
fn begun(object: &Value, then: Part) -> Answer {
    let begin = format!(r#"{{"metadata":{{"resourceVersion":"7"}},"items":[{object},{{"met"#);
    (200, vec![Part::Text(begin), then])
}

fn watch(events: &[(&str, Value)], end: Option<Part>) -> Answer {
    let said = events
        .iter()
        .map(|(kind, object)| text(&json!({ "type": kind, "object": object })));
    (200, said.chain(end).collect())
}

fn status(code: u16) -> Value {
    let reason = if code == 403 { "Forbidden" } else { "x" };
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": reason, "code": code })
}

fn refused(code: u16) -> Answer {
    (code, vec![text(&status(code))])
}

#[tokio::test]
async fn a_list_comes_in_pages_and_the_watch_goes_on_from_it() {
    let script = Script::of([
        list(&[namespace("a"), namespace("b")], "7", "more"),
        list(&[namespace("c")], "7", ""),
        watch(
            &[("ADDED", namespace("d")), ("DELETED", namespace("a"))],
            Some(Part::Silence),
        ),
    ]);
    let told = script.tells(7).await;
    assert_eq!(
        told,
        [
            "list",
            "has a",
            "has b",
            "has c",
            "done",
            "changed d",
            "deleted a"
        ]
    );
    let asked = script.asked();
    assert_eq!(asked[..2], ["limit=10000", "limit=10000&continue=more"]);
    assert!(
        asked[2].contains("resourceVersion=7") && asked[2].contains("allowWatchBookmarks=true")
    );
}

#[tokio::test]
async fn f13_a_page_that_has_expired_is_followed_by_a_whole_list() {
    let script = Script::of([
        list(&[namespace("a")], "7", "more"),
        refused(410),
        list(&[namespace("a"), namespace("b")], "9", ""),
    ]);
    let told = script.tells(6).await;
    assert_eq!(told, ["list", "has a", "list", "has a", "has b", "done"]);
    assert!(!script.asked()[2].contains("limit"), "{:?}", script.asked());
}

#[tokio::test]
async fn f13_f25_a_list_that_is_cut_begins_again() {
    let cut = Script::of([
        begun(&namespace("a"), Part::Cut),
        list(&[namespace("b")], "9", ""),
    ]);
    let told = cut.tells(6).await;
    assert_eq!(told[..2], ["list", "has a"]);
    assert!(
        told[2].starts_with("the connection to the API server was cut"),
        "{told:?}"
    );
    assert_eq!(told[3..], ["list", "has b", "done"]);

    let silent = Script::of([
        begun(&namespace("a"), Part::Silence),
        list(&[namespace("b")], "9", ""),
    ]);
    let told = silent.tells(6).await;
    assert!(told[2].contains("nothing came for 300ms"), "{told:?}");
    assert_eq!(told[3..], ["list", "has b", "done"]);

    // An end without an error is none of a list.
    let ended = Script::of([
        begun(&namespace("a"), Part::Text("adata".into())),
        list(&[], "9", ""),
    ]);
    let told = ended.tells(5).await;
    assert!(told[2].contains("not what was asked for"), "{told:?}");
    assert_eq!(told[3..], ["list", "done"]);
}

#[tokio::test]
async fn f91_what_cannot_be_decoded_is_counted_and_the_rest_is_there() {
    let odd = json!({ "metadata": { "name": "odd", "resourceVersion": "6" }, "spec": { "finalizers": 7 } });
    let large =
        json!({ "metadata": { "name": "large", "annotations": { "a": "x".repeat(1_500_000) } } });
    let whole = json!({ "items": [namespace("a"), odd, large, namespace("b")], "metadata": { "resourceVersion": "7" } });
    let chunks = whole.to_string().into_bytes();
    let chunks = chunks
        .chunks(16_000)
        .map(|chunk| Part::Text(String::from_utf8(chunk.to_vec()).unwrap()));
    let script = Script::of([
        (200, chunks.collect()),
        watch(
            &[("MODIFIED", odd), ("ADDED", namespace("c"))],
            Some(Part::Silence),
        ),
    ]);
    let told = script.tells(7).await;
    assert_eq!(
        told,
        [
            "list",
            "has a",
            "has large",
            "has b",
            "done",
            "deleted odd",
            "changed c"
        ]
    );
    assert_eq!(script.metrics.watch.invalid_objects.get(), 2);
}

#[tokio::test]
async fn o06_a_watch_that_says_nothing_is_begun_again_where_it_was() {
    let mark =
        json!({ "kind": "Namespace", "apiVersion": "v1", "metadata": { "resourceVersion": "20" } });
    let script = Script::of([
        list(&[], "7", ""),
        watch(&[("BOOKMARK", mark)], Some(Part::Silence)),
        watch(&[("ADDED", namespace("a"))], Some(Part::Cut)),
        watch(&[("ADDED", namespace("b"))], Some(Part::Silence)),
    ]);
    let told = script.tells(5).await;
    assert!(
        told[2].contains("the answer of the API server stopped"),
        "{told:?}"
    );
    // A failure soon after another one is not told again.
    assert_eq!((&*told[3], &*told[4]), ("changed a", "changed b"));
    let asked = script.asked();
    let versions = ["=7", "=20", "=5"].map(|version| format!("resourceVersion{version}"));
    for (url, version) in asked[1..].iter().zip(versions) {
        assert!(url.ends_with(&version), "{url} {version}");
    }
    assert_eq!(script.metrics.watch.errors.get(), 1, "and is counted");
}

#[tokio::test]
async fn a_version_that_is_gone_is_no_failure() {
    let gone = || watch(&[("ERROR", status(410))], None);
    let script = Script::of([
        list(&[namespace("a")], "7", ""),
        gone(),
        list(&[namespace("b")], "8", ""),
        refused(410),
        list(&[], "9", ""),
    ]);
    let told = script.tells(8).await;
    assert_eq!(
        told,
        [
            "list", "has a", "done", "list", "has b", "done", "list", "done"
        ]
    );
}

/// Where the API server says so to everything, there is a pause before each list.
#[tokio::test]
async fn f25_a_version_that_is_gone_each_time_is_no_loop() {
    let rounds = (0..40).flat_map(|_| [list(&[], "7", ""), refused(410)]);
    let script = Script::of(rounds);
    let began = Instant::now();
    let _ = tokio::time::timeout(Duration::from_secs(1), script.tells(100)).await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(script.asked().len() <= 12, "{}", script.asked().len());
}

#[tokio::test]
async fn f15_f25_what_is_refused_is_told_once_and_tried_again() {
    let script = Script::of([refused(500), refused(500), refused(403), list(&[], "7", "")]);
    let told = script.tells(6).await;
    let kinds: Vec<bool> = told
        .iter()
        .map(|told| told.starts_with("ApiError"))
        .collect();
    assert_eq!(kinds, [false, true, false, false, true, false], "{told:?}");
    assert_eq!(told[5], "list");
}

#[test]
fn the_api_server_says_how_long_it_wants_to_be_left_alone() {
    let mut busy = status(429);
    busy["details"] = json!({ "retryAfterSeconds": 7 });
    let error = ReadError::Ended(serde_json::from_value(busy).unwrap());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let error = ReadError::Ended(serde_json::from_value(status(403)).unwrap());
    assert_eq!(error.retry_after(), None);
    assert!(!error.is_gone());
}
