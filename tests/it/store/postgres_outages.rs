//! The database goes away, comes back, becomes another, or changes its password, while the store is in use.

use std::path::Path;
use std::time::{Duration, Instant};

use clientele_store::{Heartbeat, Store, StoreError, UrlSource};

use super::database::at_once;
use super::samples::{TENANT, at};
use crate::support::database_proxy::{Accident, DatabaseProxy};
use crate::support::pooler;
use crate::support::postgres::Server;
use crate::support::test_namespace::{eventually, when};

/// A connection that was used a moment ago is used again without a question; after this time it is asked whether it lives. No
/// condition shows that but the passing of time.
const NOT_FRESH: Duration = Duration::from_millis(250);

/// A server of its own behind a proxy, and an open store.
struct Outage {
    server: Server,
    proxy: DatabaseProxy,
    store: Store,
}

impl Outage {
    async fn new() -> Self {
        let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
        server.execute("CREATE DATABASE clientele").await;
        let proxy = DatabaseProxy::before(server.folder().to_owned()).await;
        let url = proxy.url("postgres", "clientele");
        let store = Store::open(&url).await.unwrap();
        let outage = Self {
            server,
            proxy,
            store,
        };
        outage.use_many_connections().await;
        outage
    }

    /// Several at once, so that several connections are idle afterwards.
    async fn use_many_connections(&self) {
        let checks = at_once(12, |_| {
            let store = self.store.clone();
            async move { store.check().await }
        });
        assert!(checks.await.into_iter().all(|check| check.is_ok()));
    }

    async fn revoke(&self, jti: &str) -> Result<(), StoreError> {
        self.store.revoke_token(TENANT, jti, at(600)).await
    }
}

/// How often a replica was heard.
async fn beats(store: &Store, replica: &str) -> i64 {
    let beats = store.beat(replica).await.unwrap().unwrap();
    beats.into_iter().find(|(id, _)| id == replica).unwrap().1
}

fn heartbeat(replica: &str) -> Heartbeat {
    Heartbeat {
        replica: replica.to_owned(),
        name: None,
        serving: true,
        beats: true,
        reported: at(0),
        expired_before: at(-300),
        now: at(0),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o01_a_store_opens_once_its_database_is_there() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    server.execute("CREATE DATABASE clientele").await;
    let proxy = DatabaseProxy::before(server.folder().to_owned()).await;
    proxy.disconnect();
    let url = UrlSource::Fixed(proxy.url("postgres", "clientele"));
    let store = Store::unopened(url).await.unwrap();
    assert!(store.is_shared() && !store.is_open());
    assert_eq!(store.check().await, Err(StoreError::Unopened));
    let refused = store.connect().await.unwrap_err().to_string();
    assert!(refused.contains("cannot be reached"), "{refused}");
    proxy.mend();
    store.connect().await.unwrap();
    assert_eq!(store.check().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o03_o10_the_first_request_after_a_restart_succeeds() {
    let outage = Outage::new().await;
    for turn in 0..2 {
        outage.server.kill();
        outage.server.restart();
        let began = Instant::now();
        outage.revoke(&format!("after-{turn}")).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(3));
        outage.use_many_connections().await;
    }
    // The server says to every connection that it ends.
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'clientele'";
    outage.server.execute(end).await;
    tokio::time::sleep(NOT_FRESH).await;
    let revoked = at_once(12, |turn| {
        let store = outage.store.clone();
        let jti = format!("ended-{turn}");
        async move { store.revoke_token(TENANT, &jti, at(600)).await }
    });
    let revoked = revoked.await;
    assert!(revoked.iter().all(Result::is_ok), "{revoked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o03_a_primary_that_became_read_only_is_left() {
    let outage = Outage::new().await;
    let read_only = async |value: &str| {
        let set = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        outage.server.execute(&set).await;
        outage.server.execute("SELECT pg_reload_conf()").await;
    };
    read_only("on").await;
    // The new primary is there after a while; the sign-in that meets the switch waits for it.
    let switch = async {
        eventually("the server is left", || async {
            let text = outage
                .store
                .check()
                .await
                .err()
                .map(|error| error.to_string());
            let left = text
                .as_ref()
                .is_some_and(|text| text.contains("standby or read-only"));
            when(left, (), || format!("{text:?}"))
        })
        .await;
        let reset = "ALTER SYSTEM RESET default_transaction_read_only";
        outage.server.execute(reset).await;
        outage.server.execute("SELECT pg_reload_conf()").await;
    };
    let refused = eventually("it does not write", || async {
        let revoked = outage.revoke("meanwhile").await;
        when(revoked.is_err(), revoked.clone(), || "it writes".to_owned())
    });
    let (refused, ()) = tokio::join!(refused, switch);
    assert!(refused.is_err());
    // Once more is enough.
    let again = outage.revoke("after").await;
    if again.is_err() {
        outage.revoke("after").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o03_a_standby_is_refused_until_it_is_promoted() {
    let outage = Outage::new().await;
    outage.server.kill();
    std::fs::write(outage.server.folder().join("data/standby.signal"), "").unwrap();
    outage.server.restart();
    let url = outage.proxy.url("postgres", "clientele");
    let refused = Store::open(&url).await.unwrap_err().to_string();
    assert!(refused.contains("must name the primary"), "{refused}");
    let reading = outage.store.is_token_revoked(TENANT, "any");
    let promoting = outage.server.execute("SELECT pg_promote()");
    let (read, ()) = tokio::join!(reading, promoting);
    assert_eq!(read, Ok(false), "it waited for the primary");
    assert_eq!(outage.revoke("after").await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o03_a_silent_network_takes_no_connection_for_long() {
    let outage = Outage::new().await;
    tokio::time::sleep(NOT_FRESH).await;
    outage.proxy.be_silent();
    let began = Instant::now();
    let reads = at_once(40, |_| {
        let store = outage.store.clone();
        async move { store.is_token_revoked(TENANT, "any").await }
    });
    assert!(reads.await.into_iter().all(|read| read.is_err()));
    let elapsed = began.elapsed();
    assert!(elapsed < Duration::from_secs(8), "{elapsed:?}");
    outage.proxy.mend();
    eventually("every connection can be had again", || async {
        outage
            .store
            .check()
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    outage.use_many_connections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o10_only_what_was_not_committed_is_tried_again() {
    let outage = Outage::new().await;
    let store = &outage.store;
    let replica = "replica-of-o10";
    store.heartbeat(heartbeat(replica)).await.unwrap();
    assert_eq!(beats(store, replica).await, 2);
    // No COMMIT was sent: it happens once, the second time.
    for accident in [Accident::LostBefore, Accident::LostAfter] {
        outage.proxy.expect(replica, accident);
        store.heartbeat(heartbeat(replica)).await.unwrap();
    }
    assert_eq!(beats(store, replica).await, 5);
    // One was, and what became of it is unknown: it is not done again.
    outage.proxy.expect("COMMIT", Accident::LostAfter);
    store.heartbeat(heartbeat(replica)).await.unwrap_err();
    assert_eq!(beats(store, replica).await, 7);
    outage.proxy.expect("COMMIT", Accident::LostBefore);
    store.heartbeat(heartbeat(replica)).await.unwrap_err();
    assert_eq!(beats(store, replica).await, 8);
    // A statement by itself is committed with it.
    let leave = store.leave(replica, 8);
    outage.proxy.expect(replica, Accident::LostAfter);
    leave.await.unwrap_err();
    let none = store.heartbeat(heartbeat("another")).await;
    assert_eq!(none, Ok(()));
    let serving = store.beat("another").await.unwrap().unwrap();
    assert_eq!(serving.len(), 1, "it has left, once");
    // What only reads can be asked again.
    outage.proxy.expect(TENANT, Accident::LostAfter);
    assert_eq!(store.is_token_revoked(TENANT, "any").await, Ok(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o04_a_pooler_in_transaction_mode_is_refused() {
    let server = Server::shared();
    let database = server.database().await;
    Store::open(&database).await.unwrap().close().await;
    let name = database.rsplit('/').next().unwrap();
    let pooled = pooler::before(server.folder().to_owned(), name).await;
    let refused = Store::open(&pooled).await.unwrap_err().to_string();
    assert!(refused.contains("pool_mode = session"), "{refused}");
}

/// Ends every connection of these roles, and waits until they have gone.
async fn end_connections(server: &Server) {
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename IN ('app_a', 'app_b')";
    server.execute(end).await;
    tokio::time::sleep(NOT_FRESH).await;
}

/// Roles whose password is asked for.
async fn with_passwords(server: &Server) {
    let rules = server.folder().join("data/pg_hba.conf");
    let before = std::fs::read_to_string(&rules).unwrap();
    let asked = "local all app_a,app_b scram-sha-256\n";
    std::fs::write(&rules, asked.to_owned() + &before).unwrap();
    for statement in [
        "CREATE ROLE app",
        "CREATE ROLE app_a LOGIN PASSWORD 'one' IN ROLE app",
        "CREATE ROLE app_b LOGIN PASSWORD 'two' IN ROLE app",
        "ALTER ROLE app_a SET role = app",
        "ALTER ROLE app_b SET role = app",
        "CREATE DATABASE clientele OWNER app",
        "SELECT pg_reload_conf()",
    ] {
        server.execute(statement).await;
    }
}

fn write_url(path: &Path, server: &Server, role: &str, password: &str) {
    let url = server
        .url("clientele")
        .replace("postgres@", &format!("{role}:{password}@"));
    std::fs::write(path, url + "\n").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o02_another_role_or_password_is_used_without_restart() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    with_passwords(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    write_url(&path, &server, "app_a", "one");
    let store = Store::unopened(UrlSource::File(path.clone()))
        .await
        .unwrap();
    store.connect().await.unwrap();
    store.check().await.unwrap();
    // Two roles by turns: no request fails.
    for (role, password) in [("app_b", "two"), ("app_a", "one")] {
        write_url(&path, &server, role, password);
        end_connections(&server).await;
        let jti = format!("as-{role}");
        store.revoke_token(TENANT, &jti, at(600)).await.unwrap();
    }
    // One role: open connections live on, new ones fail until the file says the new password.
    server.execute("ALTER ROLE app_a PASSWORD 'three'").await;
    store.check().await.unwrap();
    end_connections(&server).await;
    let refused = store.check().await.unwrap_err().to_string();
    assert!(refused.contains("check user, password"), "{refused}");
    assert!(!refused.contains("one"), "{refused}");
    write_url(&path, &server, "app_a", "three");
    store.check().await.unwrap();
    assert_eq!(store.is_token_revoked(TENANT, "as-app_a").await, Ok(true));
}
