//! An operator in this process, at the end of a line. Ending it ends every task of it at once, as a kill would.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use clientele_oauth::client::secret_usage::Usage;
use clientele_operator::Operator;
use clientele_operator::metrics::ControllerMetrics;
use clientele_operator::settings::Settings;
use clientele_telemetry::supervisor::Supervisor;

use super::bug::Bug;
use super::ground::settings;
use super::line::{Line, Stand};
use super::scene::Scene;
use crate::support::space::eventually;

/// What a store would say in which nobody has ever signed in.
fn nobody_is_signed_in() -> Arc<ArcSwapOption<Usage>> {
    let now = jiff::Timestamp::now();
    let usage = Usage {
        since: now,
        until: jiff::Timestamp::MAX,
        oldest_sign_in: Some(None),
        uses: HashMap::new(),
    };
    Arc::new(ArcSwapOption::from_pointee(usage))
}

/// A running operator.
pub struct Running {
    pub line: Arc<Line>,
    operator: Operator,
}

impl Running {
    /// Starts one; it need not be ready yet.
    pub fn start(scene: &Arc<Scene>, stand: Stand, bug: Option<Bug>) -> Self {
        Self::with(settings(false, &scene.root_key), scene, stand, bug)
    }

    /// Starts one with settings of its own.
    pub fn with(settings: Settings, scene: &Arc<Scene>, stand: Stand, bug: Option<Bug>) -> Self {
        let line = Line::new(scene, stand, bug);
        let operator = Operator::start(
            line.client(),
            settings,
            line.registry.clone(),
            nobody_is_signed_in(),
            Arc::new(ControllerMetrics::default()),
            Arc::default(),
            &Supervisor::default(),
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
