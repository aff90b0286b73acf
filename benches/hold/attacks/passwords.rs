//! Attackers who sign in, or try to.

use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinHandle;

use super::{Means, address, repeat};
use crate::sign_ins::{Browser, COSTLY, VICTIMS, has_known_browser, sign_in, victim};
use crate::support::people::PASSWORD;

/// Names that no person has, each once, so that only the addresses are counted.
pub fn strangers(means: &Means, tasks: usize, addresses: usize) -> Vec<JoinHandle<()>> {
    let (place, tries) = (means.place(), means.tries.clone());
    repeat(means, tasks, move |number| {
        let (place, name) = (
            place.clone(),
            format!("stranger-{number}-{}", tries.load(Relaxed)),
        );
        async move {
            let from = address(number % addresses);
            sign_in(&place, from, &mut Browser::new(), (&name, "wrong")).await;
        }
    })
}

/// The names of those victims whose browsers are known: a person with a new browser has to wait meanwhile.
pub fn named(means: &Means) -> Vec<JoinHandle<()>> {
    let place = means.place();
    let names: Vec<String> = (0..VICTIMS)
        .filter(|number| has_known_browser(*number))
        .map(victim)
        .collect();
    repeat(means, names.len(), move |number| {
        let (place, name) = (place.clone(), names[number].clone());
        async move {
            sign_in(
                &place,
                address(number),
                &mut Browser::new(),
                (&name, "wrong"),
            )
            .await;
        }
    })
}

/// Six people with right passwords and costly hashes, each in several browsers.
pub fn right(means: &Means) -> Vec<JoinHandle<()>> {
    by_costly(means, COSTLY * 4, "costly")
}

/// Wrong passwords for the same people and more addresses.
pub fn costly(means: &Means) -> Vec<JoinHandle<()>> {
    by_costly(means, 60, "wrong")
}

fn by_costly(means: &Means, tasks: usize, password: &'static str) -> Vec<JoinHandle<()>> {
    let place = means.place();
    repeat(means, tasks, move |number| {
        let (place, name) = (place.clone(), format!("costly-{}", number % COSTLY));
        async move {
            sign_in(
                &place,
                address(number),
                &mut Browser::new(),
                (&name, password),
            )
            .await;
        }
    })
}

/// A script that signs in as one person without a pause.
pub fn sessions(means: &Means) -> Vec<JoinHandle<()>> {
    let place = means.place();
    repeat(means, 8, move |number| {
        let place = place.clone();
        async move {
            sign_in(
                &place,
                address(number),
                &mut Browser::new(),
                ("bob", PASSWORD),
            )
            .await;
        }
    })
}
