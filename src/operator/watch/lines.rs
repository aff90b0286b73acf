//! What a watch says, line by line.

use std::borrow::Cow;

use kube::core::Status;
use kube::core::watch::Bookmark;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::list::cutter::{Malformed, lean_event};
use crate::list::decode::{Decoded, MetadataOnly, Undecodable};
use crate::list::read::{Body, ReadError};

/// The longest line: an object as large as etcd takes it, written with escapes.
const LONGEST_LINE: usize = 32 << 20;

/// Something that a watch said.
#[derive(Debug)]
pub enum WatchLine<K> {
    /// An object is new or has changed.
    Changed(Decoded<K>),
    /// An object was deleted.
    Deleted(Decoded<K>),
    /// Nothing has happened up to this version.
    Bookmark(String),
    /// The watch cannot go on.
    Error(Box<Status>),
    /// Something that does not concern us.
    Other,
}

/// The lines of a watch.
pub struct Lines {
    body: Body,
    line: Vec<u8>,
}

impl Lines {
    /// Nothing has been read yet. Objects are read without their managedFields.
    pub fn new(body: Body) -> Self {
        Self {
            body,
            line: Vec::new(),
        }
    }

    /// The next one; none when the API server has ended the watch in good order. A line that was cut is none.
    pub async fn next<K: DeserializeOwned>(&mut self) -> Result<Option<WatchLine<K>>, ReadError> {
        self.line.clear();
        loop {
            let bytes = self.body.bytes().await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            self.line
                .extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            let taken = end.map_or(bytes.len(), |end| end + 1);
            self.body.take(taken);
            if self.line.len() > LONGEST_LINE {
                return Err(Malformed("a line is larger than 32 MiB".to_owned()).into());
            }
            if end.is_some() && !self.line.trim_ascii().is_empty() {
                return Ok(Some(read(&self.line)?));
            }
        }
    }
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct About<T> {
    object: T,
}

fn read<K: DeserializeOwned>(line: &[u8]) -> Result<WatchLine<K>, Malformed> {
    let kind = match serde_json::from_slice(line) {
        Ok(Kind { kind }) => kind,
        Err(error) => {
            // A proxy that cannot go on says so as if nothing had begun.
            let status = serde_json::from_slice::<Box<Status>>(line).ok();
            let status = status.filter(|status| status.code != 0);
            return status.map(WatchLine::Error).ok_or_else(|| error.into());
        }
    };
    Ok(match &*kind {
        "ADDED" | "MODIFIED" => WatchLine::Changed(object(line)?),
        "DELETED" => WatchLine::Deleted(object(line)?),
        "BOOKMARK" => {
            let About::<Bookmark> { object } = serde_json::from_slice(line)?;
            WatchLine::Bookmark(object.metadata.resource_version)
        }
        "ERROR" => {
            let About { object } = serde_json::from_slice(line)?;
            WatchLine::Error(object)
        }
        _ => WatchLine::Other,
    })
}

fn object<K: DeserializeOwned>(line: &[u8]) -> Result<Decoded<K>, Malformed> {
    let line = lean_event(line);
    let error = match serde_json::from_slice(&line) {
        Ok(About { object }) => return Ok(Ok(object)),
        Err(error) => error,
    };
    let About::<MetadataOnly> { object } = serde_json::from_slice(&line)?;
    Ok(Err(Box::new(Undecodable {
        metadata: object.metadata,
        error: error.to_string(),
    })))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Namespace;
    use serde_json::{Value, json};

    use super::*;

    fn line(event: &Value) -> WatchLine<Namespace> {
        read(event.to_string().as_bytes()).unwrap()
    }

    fn about(kind: &str, object: &Value) -> WatchLine<Namespace> {
        line(&json!({ "type": kind, "object": object }))
    }

    #[test]
    fn each_type_of_event_is_read() {
        let named = json!({ "metadata": { "name": "a", "resourceVersion": "3", "managedFields": [{ "manager": "m" }] } });
        let name = |object: &Decoded<Namespace>| {
            let meta = object.as_ref().unwrap().metadata.clone();
            assert_eq!(meta.managed_fields, None);
            meta.name.unwrap()
        };
        for kind in ["ADDED", "MODIFIED"] {
            assert!(
                matches!(about(kind, &named), WatchLine::Changed(object) if name(&object) == "a")
            );
        }
        assert!(
            matches!(about("DELETED", &named), WatchLine::Deleted(object) if name(&object) == "a")
        );
        let mark = json!({ "kind": "Namespace", "apiVersion": "v1", "metadata": { "resourceVersion": "9" } });
        assert!(matches!(about("BOOKMARK", &mark), WatchLine::Bookmark(version) if version == "9"));
        assert!(matches!(about("NEWS", &named), WatchLine::Other));
        let gone = json!({ "kind": "Status", "apiVersion": "v1", "code": 410, "status": "Failure", "reason": "Expired" });
        assert!(matches!(about("ERROR", &gone), WatchLine::Error(status) if status.code == 410));
        assert!(matches!(line(&gone), WatchLine::Error(status) if status.code == 410));
    }

    #[test]
    fn an_object_that_cannot_be_decoded_has_a_name_and_a_version() {
        let odd = json!({ "metadata": { "name": "odd", "resourceVersion": "4" }, "spec": { "finalizers": 7 } });
        let WatchLine::Changed(Err(undecodable)) = about("ADDED", &odd) else {
            panic!("it was decoded");
        };
        assert_eq!(undecodable.metadata.name.as_deref(), Some("odd"));
        assert_eq!(undecodable.metadata.resource_version.as_deref(), Some("4"));
    }

    #[test]
    fn what_is_no_event_is_refused_without_a_quotation() {
        for text in [
            "secret",
            "{\"secret\":1}",
            "[]",
            r#"{"type":"ADDED","object":"secret"}"#,
        ] {
            let error = read::<Namespace>(text.as_bytes()).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
