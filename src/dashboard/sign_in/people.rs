//! Who is signed in. In memory only: a restart signs everybody out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::rows::Rows;
use crate::session::{NoRandom, random, same};

/// The most sessions; a further one ends the one that was not used for the longest time.
pub const MOST: usize = 200;
/// The most sessions of one person, so that one person cannot end those of the others.
pub const MOST_OF_ONE: usize = 8;
/// A session that is not used for this time ends.
pub const IDLE: Duration = Duration::from_mins(30);

/// What the ID token of a person gives: the API server with their rights, until the token ends.
#[derive(Clone)]
pub struct Connection {
    /// The API server.
    pub cluster: Cluster,
    /// The rows of the list.
    pub rows: Arc<Rows>,
    /// When the token ends.
    pub ends: Instant,
    /// When a page asks for another token, so that what a person types meanwhile can be saved.
    pub renews: Instant,
}

/// A browser in which a person is signed in.
#[derive(Clone)]
pub struct Entered {
    /// The value of the cookie.
    pub cookie: Arc<str>,
    /// The value of the hidden field of every form.
    pub form_token: Arc<str>,
    /// `sub` of the ID token.
    subject: Arc<str>,
    /// The name to show.
    pub name: Arc<str>,
    /// What they have now.
    pub connection: Connection,
    used: Instant,
}

/// All of them.
#[derive(Default)]
pub struct SignedIn(Mutex<Vec<Entered>>);

impl SignedIn {
    /// The session of a cookie. It counts as used.
    pub fn find(&self, cookie: &str, now: Instant) -> Option<Entered> {
        let mut people = self.sweep(now);
        let found = people.iter_mut().find(|one| same(&one.cookie, cookie))?;
        found.used = now;
        Some(found.clone())
    }

    /// A session for a person whose sign-in has succeeded. The session of the same person in this browser stays, with its form token: forms that
    /// are open can be sent.
    pub fn enter(
        &self,
        earlier: Option<&str>,
        who: (&str, &str),
        connection: Connection,
        now: Instant,
    ) -> Result<Entered, NoRandom> {
        let (subject, name) = who;
        let (cookie, form_token) = (random()?, random()?);
        let mut people = self.sweep(now);
        let before = earlier.and_then(|cookie| {
            let mut people = people.iter();
            people.position(|one| same(&one.cookie, cookie))
        });
        let before = before.map(|at| people.swap_remove(at));
        let kept = before.as_ref().filter(|before| &*before.subject == subject);
        let entered = Entered {
            cookie: kept.map_or_else(|| cookie.into(), |kept| kept.cookie.clone()),
            form_token: kept.map_or_else(|| form_token.into(), |kept| kept.form_token.clone()),
            subject: subject.into(),
            name: name.into(),
            connection,
            used: now,
        };
        if let Some(before) = before {
            before.connection.rows.end();
        }
        make_room(&mut people, subject);
        people.push(entered.clone());
        Ok(entered)
    }

    /// Ends a session.
    pub fn leave(&self, cookie: &str) {
        let mut people = self.people();
        while let Some(at) = people.iter().position(|one| same(&one.cookie, cookie)) {
            people.swap_remove(at).connection.rows.end();
        }
    }

    /// Ends the sessions that were not used for long.
    pub fn sweep(&self, now: Instant) -> MutexGuard<'_, Vec<Entered>> {
        let mut people = self.people();
        people.retain(|one| {
            let stays = now.saturating_duration_since(one.used) < IDLE;
            if !stays {
                one.connection.rows.end();
            }
            stays
        });
        people
    }

    fn people(&self) -> MutexGuard<'_, Vec<Entered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For one more session of this person.
fn make_room(people: &mut Vec<Entered>, subject: &str) {
    let of_one = |one: &&Entered| &*one.subject == subject;
    let too_many_of_one = people.iter().filter(of_one).count() >= MOST_OF_ONE;
    if !too_many_of_one && people.len() < MOST {
        return;
    }
    let candidates = people.iter().enumerate();
    let oldest = candidates
        .filter(|(_, one)| !too_many_of_one || &*one.subject == subject)
        .min_by_key(|(_, one)| one.used)
        .map(|(at, _)| at);
    if let Some(at) = oldest {
        people.swap_remove(at).connection.rows.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is asked through it.
    fn cluster() -> Cluster {
        clientele_kubectl::connect::install_crypto_provider();
        let config = kube::Config::new("https://k8s.example.com".parse().unwrap());
        let client = kube::Client::try_from(config).unwrap();
        Cluster::new(client, "https://k8s")
    }

    fn connection(cluster: &Cluster, now: Instant) -> Connection {
        Connection {
            cluster: cluster.clone(),
            rows: Rows::new(),
            ends: now + Duration::from_mins(10),
            renews: now + Duration::from_mins(5),
        }
    }

    fn enter(
        (people, cluster): (&SignedIn, &Cluster),
        earlier: Option<&str>,
        subject: &str,
        now: Instant,
    ) -> Entered {
        let connection = connection(cluster, now);
        let entered = people.enter(earlier, (subject, subject), connection, now);
        entered.unwrap()
    }

    #[tokio::test]
    async fn o13_a_session_ends_unused_and_by_signing_out() {
        let (people, cluster, now) = (SignedIn::default(), cluster(), Instant::now());
        let ada = enter((&people, &cluster), None, "ada", now);
        let almost = now + IDLE.saturating_sub(Duration::from_secs(1));
        assert!(people.find(&ada.cookie, almost).is_some(), "used in time");
        assert!(people.find(&ada.cookie, almost + IDLE).is_none(), "idle");
        assert!(ada.connection.rows.ended());
        let ada = enter((&people, &cluster), None, "ada", now);
        assert!(people.find(&ada.form_token, now).is_none());
        people.leave(&ada.cookie);
        assert!(people.find(&ada.cookie, now).is_none() && ada.connection.rows.ended());
    }

    #[tokio::test]
    async fn o13_a_renewal_keeps_the_forms_of_the_same_person_only() {
        let (people, cluster, now) = (SignedIn::default(), cluster(), Instant::now());
        let ada = enter((&people, &cluster), None, "ada", now);
        let again = enter((&people, &cluster), Some(&ada.cookie), "ada", now);
        assert_eq!(
            (&again.cookie, &again.form_token),
            (&ada.cookie, &ada.form_token)
        );
        assert!(ada.connection.rows.ended() && !again.connection.rows.ended());
        let bob = enter((&people, &cluster), Some(&ada.cookie), "bob", now);
        assert!(bob.cookie != ada.cookie && bob.form_token != ada.form_token);
        assert!(
            people.find(&ada.cookie, now).is_none(),
            "one person in a browser"
        );
        let stranger = enter((&people, &cluster), Some("made up"), "eve", now);
        assert_ne!(&*stranger.cookie, "made up");
    }

    #[tokio::test]
    async fn o13_one_person_cannot_end_the_sessions_of_others() {
        let (people, cluster, now) = (SignedIn::default(), cluster(), Instant::now());
        let ada = enter((&people, &cluster), None, "ada", now);
        let mut bobs = Vec::new();
        for second in 0..MOST + 50 {
            let at = now + Duration::from_secs(second as u64);
            bobs.push(enter((&people, &cluster), None, "bob", at));
        }
        let later = now + Duration::from_mins(5);
        assert!(people.find(&ada.cookie, later).is_some());
        let alive = bobs
            .iter()
            .filter(|bob| people.find(&bob.cookie, later).is_some());
        assert_eq!(alive.count(), MOST_OF_ONE);
        for number in 0..MOST {
            enter((&people, &cluster), None, &number.to_string(), later);
        }
        assert_eq!(people.sweep(later).len(), MOST);
    }
}
