//! `Table` as the API server sends it.

use serde::Deserialize;
use serde_json::Value;

/// A list of rows, or one event of a watch.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    #[serde(default)]
    pub metadata: ListMeta,
    /// Only the first event of a watch has them.
    pub column_definitions: Option<Vec<Column>>,
    pub rows: Option<Vec<RawRow>>,
}

/// The metadata of a list.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    pub resource_version: String,
    #[serde(rename = "continue")]
    pub more: String,
}

/// A column of the definition.
#[derive(Clone, Deserialize)]
pub struct Column {
    pub name: String,
}

/// A row as it comes.
#[derive(Clone, Deserialize)]
pub struct RawRow {
    pub cells: Vec<Value>,
    pub object: Option<Partial>,
}

/// An object without spec and status.
#[derive(Clone, Deserialize)]
pub struct Partial {
    pub metadata: PartialMeta,
}

/// What is read of its metadata.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PartialMeta {
    pub namespace: String,
    pub creation_timestamp: String,
}
