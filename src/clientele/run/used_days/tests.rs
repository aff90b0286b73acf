use clientele_oauth::client::used_days::Day;

use super::*;

fn at(second: i64) -> Timestamp {
    Day::from_number(100).begin() + jiff::SignedDuration::from_secs(second)
}

/// The clients of a replica.
fn replica(names: &[String]) -> HashMap<String, Uses> {
    let clients = names.iter().map(|name| (name.clone(), Uses::new(1)));
    clients.collect()
}

async fn exchange(
    at_replica: (&UsedDaysExchange, &HashMap<String, Uses>),
    store: &Store,
    serving: bool,
    now: Timestamp,
) {
    let (exchange, clients) = at_replica;
    let uses = clients.iter().map(|(name, uses)| (&**name, uses));
    let uses = uses.collect();
    let done = exchange.exchange(store, &uses, serving, now);
    done.await.unwrap();
}

fn day(clients: &HashMap<String, Uses>, name: &str) -> Option<u32> {
    clients[name].days().last().map(Day::number)
}

#[tokio::test]
async fn a_replica_learns_what_others_saw_and_forgets_nothing() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let names = ["a", "b"].map(str::to_owned);
    let (one, other) = (replica(&names), replica(&names));
    let (of_one, of_other) = (UsedDaysExchange::default(), UsedDaysExchange::default());
    let (first, second) = ((&of_one, &one), (&of_other, &other));
    one["a"].note_without_secret(at(5));
    exchange(first, &store, true, at(6)).await;
    assert_eq!(day(&one, "a"), Some(100));
    // The other one starts: nothing is read before it serves, and then everything.
    exchange(second, &store, false, at(3600)).await;
    assert_eq!(day(&other, "a"), None);
    exchange(second, &store, true, at(3601)).await;
    assert_eq!((day(&other, "a"), day(&other, "b")), (Some(100), None));
    // The clock of the first one is five minutes slow.
    one["b"].note_without_secret(at(3900));
    exchange(second, &store, true, at(4200)).await;
    exchange(first, &store, true, at(3910)).await;
    exchange(second, &store, true, at(4260)).await;
    assert_eq!(day(&other, "b"), Some(100));
}

#[tokio::test]
async fn every_page_of_the_days_is_read() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let names: Vec<String> = (0..=2 * PAGE).map(|n| format!("client-{n}")).collect();
    let (one, other) = (replica(&names), replica(&names));
    for uses in one.values() {
        uses.note_without_secret(at(5));
    }
    let nothing_read = UsedDaysExchange::default();
    exchange((&nothing_read, &one), &store, false, at(6)).await;
    exchange((&nothing_read, &other), &store, true, at(7)).await;
    assert!(names.iter().all(|name| day(&other, name) == Some(100)));
}
