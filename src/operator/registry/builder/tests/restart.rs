//! After a restart everything is new at once. A reconcile can do nothing before the credentials Secrets are listed.

use serde_json::json;

use super::stage::{Connection, Stage};
use crate::cache::namespace_access::Access;

#[test]
fn no_client_is_enqueued_before_its_secret_is_known() {
    let connection = Connection::nowhere();
    let mut stage = Stage::new(&connection);
    let cache = stage.inputs.cache.clone();
    cache.credentials.set_access(None, Access::Pending);
    for name in ["a", "b", "c"] {
        stage.client("ns0", name, 1, &json!({}));
    }
    // The first registry, the root keys, the Lease.
    stage.rebuild();
    stage.new_root_key();
    stage.outputs.queues.enqueue_everything(&cache.credentials);
    stage.rebuild();
    assert_eq!(stage.asked(), Vec::<String>::new());
    cache.credentials.set_access(None, Access::Granted);
    stage.client("ns0", "a", 2, &json!({}));
    stage.rebuild();
    assert_eq!(stage.asked(), ["ns0/a"], "within reach each change counts");
    stage.new_root_key();
    stage.client("ns0", "b", 2, &json!({}));
    stage.rebuild();
    assert_eq!(stage.asked(), ["ns0/a", "ns0/b", "ns0/c"], "each once");
    stage.outputs.queues.enqueue_everything(&cache.credentials);
    stage.rebuild();
    assert_eq!(stage.asked(), ["ns0/a", "ns0/b", "ns0/c"]);
}
