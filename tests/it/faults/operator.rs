//! An operator in this process, behind a proxy. Ending it ends every task of it at once, as a kill would.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use clientele_oauth::client::secret_usage::Usage;
use clientele_operator::Operator;
use clientele_operator::metrics::OperatorMetrics;
use clientele_operator::settings::Settings;
use clientele_telemetry::supervisor::Supervisor;

use super::bug::Bug;
use super::fault_cluster::settings;
use super::fault_proxy::{FaultProxy, Stand};
use super::run::Run;
use crate::support::test_namespace::eventually;

/// What a store would say without any sign-in.
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
    pub proxy: Arc<FaultProxy>,
    operator: Operator,
}

impl Running {
    /// Starts one; it need not be ready yet.
    pub fn start(run: &Arc<Run>, stand: Stand, bug: Option<Bug>) -> Self {
        Self::with(settings(false, &run.root_key), run, stand, bug)
    }

    /// Starts one with settings of its own.
    pub fn with(settings: Settings, run: &Arc<Run>, stand: Stand, bug: Option<Bug>) -> Self {
        let proxy = FaultProxy::new(run, stand, bug);
        let operator = Operator::start(
            proxy.client(),
            settings,
            proxy.registry.clone(),
            nobody_is_signed_in(),
            Arc::new(OperatorMetrics::default()),
            Arc::default(),
            &Supervisor::default(),
        );
        Self { proxy, operator }
    }

    /// Waits until it could serve.
    pub async fn wait_ready(&self) {
        let ready = self.operator.readiness();
        eventually("an operator of the exhaustive runs is ready", || async {
            ready()
        })
        .await;
    }

    /// SIGKILL.
    pub fn kill(self) {
        self.proxy.die();
        drop(self.operator);
    }
}
