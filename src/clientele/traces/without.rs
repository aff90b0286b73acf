//! Stands for the pipeline where the program is built without the feature `otlp`.

use std::future::Ready;

use anyhow::bail;
use tokio::runtime::Handle;

use super::counts::TraceCounts;
use super::{TraceLayer, TraceSettings};
use clientele_telemetry::audit::CurrentTrace;

/// Never called: there is no pipeline.
pub const CURRENT: CurrentTrace = || None;

/// There is none.
#[derive(Debug)]
pub enum Pipeline {}

impl Pipeline {
    pub fn start(_: &TraceSettings, _: &Handle, _: TraceCounts) -> anyhow::Result<Self> {
        bail!(
            "this program was built without traces; leave out --otlp-endpoint, or build it with the feature otlp"
        )
    }

    pub fn layer(&self) -> TraceLayer {
        match *self {}
    }

    pub fn end(self) -> Ready<()> {
        match self {}
    }
}
