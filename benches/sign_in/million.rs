//! A million refresh families that live: what finding and using one takes, and what memory the server needs for them.

use std::process::Command;
use std::time::{Duration, Instant};

use clientele_oauth::endpoints::token::refresh_token::GRACE;
use clientele_store::{Rotation, Store};
use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row, query};

use crate::Options;
use crate::open_loop::quantile;

/// How many are looked up, and how many used.
const TRIES: u32 = 2000;
const TENANT: &str = "uid-of-tenant";
/// Coprime to [`MODULUS`], a prime: families come in no order, as random IDs do.
const FACTOR: u64 = 2_654_435_761;
const MODULUS: u64 = 4_294_967_291;
const BASE: u64 = 100_000_000_000_000_000;

/// Fills a database and prints what that took.
pub async fn fill_and_tell(url: &str, families: u32) {
    Store::open(url).await.unwrap().close().await;
    let started = Instant::now();
    let bytes = fill(url, families).await;
    let filled = started.elapsed().as_secs_f64();
    println!("{families} | {filled:.0} s | {:.0} MB", bytes / 1e6);
}

/// Opens it as the server does, and prints what was seen.
pub async fn use_and_tell(url: &str, families: u32) {
    let store = Store::open(url).await.unwrap();
    let before = resident();
    let find = measure(families, async |n| {
        assert!(store.family(TENANT, &id(n)).await.unwrap().is_some());
    });
    let find = find.await;
    let rotate = measure(families, async |n| {
        let now = Timestamp::now();
        let idle = now + Duration::from_hours(1);
        let rotated = store.rotate(TENANT, &id(n), 1, GRACE, idle, now).await;
        assert!(matches!(
            rotated.unwrap(),
            Rotation::Next(_) | Rotation::Retry(_)
        ));
    });
    let rotate = rotate.await;
    println!(
        "{before:.0} | {:.0} | {:.2} / {:.2} | {:.2} / {:.2}",
        resident(),
        quantile(&find, 0.5),
        quantile(&find, 0.99),
        quantile(&rotate, 0.5),
        quantile(&rotate, 0.99),
    );
    store.close().await;
}

async fn measure(families: u32, act: impl AsyncFn(u64)) -> Vec<f64> {
    let mut taken = Vec::new();
    for n in 0..TRIES {
        let started = Instant::now();
        act(1 + u64::from(n) * 7919 % u64::from(families)).await;
        taken.push(started.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    taken
}

fn id(n: u64) -> String {
    format!("fam_0000{}", BASE + n * FACTOR % MODULUS)
}

/// By one statement, because a million exchanges would take ten minutes. Returns the size of the database.
async fn fill(url: &str, families: u32) -> f64 {
    let mut db = AnyConnection::connect(url).await.unwrap();
    let is_sqlite = url.starts_with("sqlite");
    if is_sqlite {
        let fast = "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;";
        db.execute(fast).await.unwrap();
    }
    let now = Timestamp::now().as_millisecond();
    let end = now + 30 * 86_400_000;
    let statement = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {families})
        INSERT INTO families (tenant, client_id, registration_id, subject, person, credential, sid, auth_time, scope, resources,
            claims, offline, id, sequence, rotated_at, issued_at, expires_at, idle_expires_at, revoked_at, ends_at)
        SELECT '{TENANT}', 'team-a.app', '0f8fad5b-d9cb-469f-a165-70867728950e', 'subject-' || CAST(i / 3 AS TEXT),
            '7c9e6679-7425-40de-944b-e07fc1f90ae7', 'credential-of-forty-three-characters-as-ours', 'sid-' || CAST(i AS TEXT),
            {now}, 'openid profile email offline_access', '', '', 1,
            'fam_0000' || CAST({BASE} + CAST(i AS BIGINT) * {FACTOR} % {MODULUS} AS TEXT),
            1, {now}, {now}, {end}, {end}, NULL, {end} FROM n"
    );
    db.execute(AssertSqlSafe(statement)).await.unwrap();
    let (tidy, size) = if is_sqlite {
        (
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        )
    } else {
        (
            "ANALYZE families",
            "SELECT pg_total_relation_size('families')",
        )
    };
    db.execute(tidy).await.unwrap();
    let row = query(size).fetch_one(&mut db).await.unwrap();
    let bytes: i64 = row.get(0);
    db.close().await.unwrap();
    bytes as f64
}

/// Resident memory in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    kib / 1024.0
}

/// In processes of their own, so that memory is that of a server with this store and nothing else.
pub fn measured(options: &Options, url: &str) -> String {
    let (families, program) = (
        options.families.to_string(),
        std::env::current_exe().unwrap(),
    );
    let run = |act: &str| {
        let mut command = Command::new(&program);
        let command = command.args([act, "--url", url, "--families", &families]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    format!("{} | {}", run("--fill"), run("--look-up"))
}
