//! Objects out of their text, one by one, so that one that cannot be decoded stops no other.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::cutter::Malformed;

/// An object that cannot be decoded.
#[derive(Clone, Debug)]
pub struct Undecodable {
    /// What it is called, at least.
    pub metadata: ObjectMeta,
    /// What is wrong with it. It quotes the object.
    pub error: String,
}

/// An object, or what is known of one that cannot be decoded.
pub type Decoded<K> = Result<K, Box<Undecodable>>;

/// What every object has.
#[derive(Deserialize)]
pub struct MetadataOnly {
    /// What it is called.
    pub metadata: ObjectMeta,
}

/// Decodes the text of an object.
pub fn decode<K: DeserializeOwned>(text: &[u8]) -> Result<Decoded<K>, Malformed> {
    let error = match serde_json::from_slice(text) {
        Ok(object) => return Ok(Ok(object)),
        Err(error) => error,
    };
    let MetadataOnly { metadata } = serde_json::from_slice(text)?;
    let error = error.to_string();
    Ok(Err(Box::new(Undecodable { metadata, error })))
}

#[cfg(test)]
mod tests {
    use clientele_api::OAuthClient;

    use super::*;

    fn decoded(spec: &str) -> Result<Decoded<OAuthClient>, Malformed> {
        let head = r#"{"apiVersion":"clientele.dev/v1alpha1","kind":"OAuthClient","metadata":{"name":"web"}"#;
        decode(format!("{head},\"spec\":{spec}}}").as_bytes())
    }

    #[test]
    fn an_object_that_cannot_be_decoded_has_a_name() {
        let object = decoded("{}").unwrap().unwrap();
        assert_eq!(object.metadata.name.as_deref(), Some("web"));
        for spec in [r#"{"type":"Secret"}"#, "null", "7", r#"{"scopes":[[]]}"#] {
            let undecodable = decoded(spec).unwrap().unwrap_err();
            assert_eq!(undecodable.metadata.name.as_deref(), Some("web"), "{spec}");
        }
    }

    #[test]
    fn what_is_no_json_is_no_object() {
        for spec in ["{", "", "{}}", r#"{"a":'b'}"#] {
            assert!(decoded(spec).is_err(), "{spec}");
        }
    }
}
