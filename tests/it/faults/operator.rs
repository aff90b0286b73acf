//! An operator in this process, at the end of a line. Ending it ends every task of it at once, as a kill would.

use std::sync::Arc;

use clientele::controller::Operator;
use clientele::controller::metrics::ControllerMetrics;
use tokio_util::sync::CancellationToken;

use super::bug::Bug;
use super::ground::settings;
use super::line::{Line, Stand};
use super::scene::Scene;
use crate::support::space::eventually;

/// A running operator.
pub struct Running {
    pub line: Arc<Line>,
    operator: Operator,
}

impl Running {
    /// Starts one; it need not be ready yet.
    pub fn start(scene: &Arc<Scene>, stand: Stand, bug: Option<Bug>) -> Self {
        let line = Line::new(scene, stand, bug);
        let operator = Operator::start(
            line.client(),
            settings(false),
            line.registry.clone(),
            Arc::default(),
            Arc::new(ControllerMetrics::default()),
            Arc::default(),
            &CancellationToken::new(),
        );
        Self { line, operator }
    }

    /// Waits until it could serve.
    pub async fn wait_ready(&self) {
        let ready = self.operator.readiness();
        eventually("an operator of the regime is ready", || async { ready() }).await;
    }

    /// SIGKILL.
    pub fn kill(self) {
        self.line.die();
        drop(self.operator);
    }
}
