//! P1: whatever happens in whatever order, the store answers as a simple model in memory does, a code yields at most
//! one living family, and what has ended never lives again.

mod reference;

use std::collections::BTreeSet;
use std::time::Duration;

use clientele_oauth::grant::{Code, Consent, Family, Session};
use clientele_store::Store;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use self::reference::Reference;
use super::database::TestDatabase;
use super::samples;

const TENANTS: [&str; 2] = ["tenant-1", "tenant-2"];
const GRACE: Duration = Duration::from_secs(10);

/// What can happen. Numbers choose among the few tenants, people, registrations, sessions and requests there are,
/// so that things meet.
#[derive(Clone, Debug)]
enum Event {
    Insert {
        whose: Whose,
        request: usize,
        offline: bool,
    },
    Redeem {
        code: usize,
        begins: bool,
    },
    Rotate {
        code: usize,
        /// How far behind the newest token it is; -1 is one that was never given out.
        behind: i64,
    },
    Revoke {
        code: usize,
    },
    BeginSession {
        whose: Whose,
    },
    EndSession {
        whose: Whose,
    },
    EndAll {
        whose: Whose,
        offline_too: bool,
    },
    Consent {
        whose: Whose,
    },
    Withdraw {
        whose: Whose,
    },
    RevokeToken {
        whose: Whose,
    },
    Purge,
    Pass {
        seconds: i64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Whose {
    tenant: usize,
    subject: usize,
    registration: usize,
    sid: usize,
}

fn whose() -> impl Strategy<Value = Whose> {
    (0..2_usize, 0..2_usize, 0..2_usize, 0..3_usize).prop_map(
        |(tenant, subject, registration, sid)| Whose {
            tenant,
            subject,
            registration,
            sid,
        },
    )
}

/// Seconds that pass: around the grace, the life of a code, of a family that lies unused, and what a purge keeps.
const PASSES: &[i64] = &[1, 5, 9, 10, 11, 60, 900, 1800, 3600, 86_400];

fn event() -> impl Strategy<Value = Event> {
    let code = || 0..8_usize;
    prop_oneof![
        6 => (whose(), 0..6_usize, any::<bool>()).prop_map(|(whose, request, offline)| Event::Insert { whose, request, offline }),
        6 => (code(), prop::bool::weighted(0.9)).prop_map(|(code, begins)| Event::Redeem { code, begins }),
        8 => (code(), -1..3_i64).prop_map(|(code, behind)| Event::Rotate { code, behind }),
        1 => code().prop_map(|code| Event::Revoke { code }),
        2 => whose().prop_map(|whose| Event::BeginSession { whose }),
        1 => whose().prop_map(|whose| Event::EndSession { whose }),
        1 => (whose(), any::<bool>()).prop_map(|(whose, offline_too)| Event::EndAll { whose, offline_too }),
        1 => whose().prop_map(|whose| Event::Consent { whose }),
        1 => whose().prop_map(|whose| Event::Withdraw { whose }),
        1 => whose().prop_map(|whose| Event::RevokeToken { whose }),
        1 => Just(Event::Purge),
        3 => prop::sample::select(PASSES).prop_map(|seconds| Event::Pass { seconds }),
    ]
}

/// The store and the model, side by side.
struct Both {
    store: Store,
    model: Reference,
    now: Timestamp,
    /// Every code that was ever made, also those whose request was answered already.
    codes: Vec<Code>,
    sessions: Vec<Session>,
    dead: BTreeSet<String>,
    run: String,
}

impl Both {
    fn new(store: Store, run: &str) -> Self {
        Self {
            store,
            model: Reference::default(),
            now: samples::at(0),
            codes: Vec::new(),
            sessions: Vec::new(),
            dead: BTreeSet::new(),
            run: run.to_owned(),
        }
    }

    /// Runs share a database; this makes their names differ.
    fn tenant(&self, whose: Whose) -> String {
        format!("{}-{}", TENANTS[whose.tenant], self.run)
    }

    fn after(&self, seconds: i64) -> Timestamp {
        self.now + SignedDuration::from_secs(seconds)
    }

    fn code(&self, whose: Whose, request: usize, offline: bool) -> Code {
        let mut code = samples::code(&self.codes.len().to_string());
        code.transaction = format!("request-{request}");
        let authorization = &mut code.authorization;
        authorization.tenant = self.tenant(whose);
        authorization.subject = format!("subject-{}", whose.subject);
        authorization.client_uid = format!("registration-{}", whose.registration);
        authorization.sid = format!("sid-{}", whose.sid);
        if offline {
            authorization.scope.push_str(" offline_access");
        }
        (code.issued_at, code.expires_at) = (self.now, self.after(60));
        code
    }

    fn family(&self, code: &Code) -> Family {
        Family {
            rotated_at: self.now,
            issued_at: self.now,
            expires_at: self.after(3600),
            idle_expires_at: self.after(1000),
            ..samples::family(code)
        }
    }

    fn session(&self, whose: Whose) -> Session {
        let number = self.sessions.len();
        Session {
            tenant: self.tenant(whose),
            digest: format!("cookie-{number}"),
            sid: format!("sid-{}-{number}", whose.sid),
            subject: format!("subject-{}", whose.subject),
            auth_time: self.now,
            last_used: self.now,
            expires_at: self.after(7200),
            ..samples::session("")
        }
    }

    fn consent(&self, whose: Whose) -> Consent {
        Consent {
            tenant: self.tenant(whose),
            subject: format!("subject-{}", whose.subject),
            granted_at: self.now,
            ..samples::consent(&format!("registration-{}", whose.registration))
        }
    }

    async fn happens(&mut self, event: &Event) {
        match *event {
            Event::Insert {
                whose,
                request,
                offline,
            } => {
                let code = self.code(whose, request, offline);
                let kept = self.store.insert_code(&code).await.unwrap();
                assert_eq!(kept, self.model.insert_code(&code));
                self.codes.push(code);
            }
            Event::Redeem { code, begins } => self.redeem(code, begins).await,
            Event::Rotate { code, behind } => self.rotate(code, behind).await,
            Event::Revoke { code } => {
                if let Some(code) = self.codes.get(code) {
                    let (tenant, id) = (&code.authorization.tenant, &code.family);
                    let revoked = self.store.revoke_family(tenant, id, self.now).await;
                    assert_eq!(revoked, Ok(self.model.revoke_family(tenant, id, self.now)));
                }
            }
            Event::Purge => {
                let gone = self.store.purge(self.now, 10_000).await.unwrap();
                let expected = self.model.purge(self.now);
                // Other runs in the same database leave something, too.
                assert!(gone >= expected, "{gone} of {expected}");
            }
            Event::Pass { seconds } => self.now = self.after(seconds),
            _ => self.happens_to_people(event).await,
        }
    }

    async fn happens_to_people(&mut self, event: &Event) {
        let now = self.now;
        match *event {
            Event::BeginSession { whose } => {
                let session = self.session(whose);
                self.store.begin_session(&session).await.unwrap();
                self.model.begin_session(&session);
                self.sessions.push(session);
            }
            Event::EndSession { whose } => {
                let tenant = self.tenant(whose);
                let numbered = self
                    .sessions
                    .get(whose.sid)
                    .map(|session| session.sid.clone());
                for sid in numbered.into_iter().chain([format!("sid-{}", whose.sid)]) {
                    self.store.end_session(&tenant, &sid, now).await.unwrap();
                    self.model.end_session(&tenant, &sid, now);
                }
            }
            Event::EndAll { whose, offline_too } => {
                let (tenant, subject) = (self.tenant(whose), format!("subject-{}", whose.subject));
                let ended = self
                    .store
                    .end_all_sessions(&tenant, &subject, offline_too, now);
                ended.await.unwrap();
                self.model
                    .end_all_sessions(&tenant, &subject, offline_too, now);
            }
            Event::Consent { whose } => {
                let consent = self.consent(whose);
                self.store.keep_consent(&consent).await.unwrap();
                self.model.keep_consent(&consent);
            }
            Event::Withdraw { whose } => {
                let Consent {
                    tenant,
                    subject,
                    client_uid,
                    ..
                } = self.consent(whose);
                let withdrawn = self.store.withdraw(&tenant, &subject, &client_uid, now);
                withdrawn.await.unwrap();
                self.model.withdraw(&tenant, &subject, &client_uid, now);
            }
            Event::RevokeToken { whose } => {
                let (tenant, jti) = (self.tenant(whose), format!("jti-{}", whose.sid));
                let until = self.after(600);
                self.store.revoke_token(&tenant, &jti, until).await.unwrap();
                self.model.revoke_token(&tenant, &jti, until);
            }
            _ => unreachable!("it happens to codes"),
        }
    }

    async fn redeem(&mut self, code: usize, begins: bool) {
        let Some(code) = self.codes.get(code).cloned() else {
            return;
        };
        let family = begins.then(|| self.family(&code));
        let (tenant, digest) = (&code.authorization.tenant, &code.digest);
        let redeemed = self.store.redeem(tenant, digest, family.as_ref(), self.now);
        let expected = self.model.redeem(tenant, digest, family.as_ref(), self.now);
        assert_eq!(redeemed.await, Ok(expected));
    }

    async fn rotate(&mut self, code: usize, behind: i64) {
        let Some(code) = self.codes.get(code) else {
            return;
        };
        let (tenant, id) = (&code.authorization.tenant, &code.family);
        let newest = self
            .model
            .family(tenant, id)
            .map_or(1, |family| family.sequence);
        let sequence = u32::try_from((i64::from(newest) - behind).max(0)).unwrap();
        let idle = self.after(1000);
        let rotated = self
            .store
            .rotate(tenant, id, sequence, GRACE, idle, self.now);
        let expected = self
            .model
            .rotate(tenant, id, sequence, GRACE, idle, self.now);
        assert_eq!(rotated.await, Ok(expected));
    }

    /// Everything is as in the model, and nothing has come back to life.
    async fn compare(&mut self) {
        for code in &self.codes {
            let (tenant, id) = (&code.authorization.tenant, &code.family);
            let family = self.store.family(tenant, id).await.unwrap();
            assert_eq!(family, self.model.family(tenant, id));
            let lives = family.is_some_and(|family| family.lives(self.now));
            assert!(!(lives && self.dead.contains(id)), "{id} lives again");
            let used = self.model.code(tenant, &code.digest);
            if !lives && used.as_ref().is_some_and(|code| code.redeemed_at.is_some()) {
                self.dead.insert(id.clone());
            }
            assert_eq!(self.store.code(tenant, &code.digest).await, Ok(used));
        }
        for session in &self.sessions {
            let found = self.store.session(&session.tenant, &session.digest).await;
            let expected = self.model.session(&session.tenant, &session.digest);
            assert_eq!(found, Ok(expected));
        }
        for tenant in TENANTS {
            let tenant = format!("{tenant}-{}", self.run);
            for subject in ["subject-0", "subject-1"] {
                let consents = self.store.consents(&tenant, subject).await.unwrap();
                assert_eq!(consents, self.model.consents(&tenant, subject));
            }
            for jti in ["jti-0", "jti-1", "jti-2"] {
                let revoked = self.store.is_token_revoked(&tenant, jti).await;
                assert_eq!(revoked, Ok(self.model.is_token_revoked(&tenant, jti)));
            }
        }
    }
}

/// As many sequences as `PROPTEST_CASES` says, or this many.
fn explore(cases: u32, length: usize, open: impl AsyncFn() -> Store) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let runs = std::cell::Cell::new(0);
    let events = prop::collection::vec(event(), 1..length);
    let explored = TestRunner::new(config).run(&events, |events| {
        runs.set(runs.get() + 1);
        runtime.block_on(async {
            let mut both = Both::new(open().await, &runs.get().to_string());
            for event in &events {
                both.happens(event).await;
                if matches!(event, Event::Pass { .. } | Event::Purge) {
                    both.compare().await;
                }
            }
            both.compare().await;
        });
        Ok(())
    });
    explored.unwrap();
}

#[test]
fn p1_sqlite_is_as_the_model() {
    explore(20, 60, async || {
        Store::open("sqlite::memory:").await.unwrap()
    });
}

#[test]
fn p1_postgresql_is_as_the_model() {
    let shared = std::cell::RefCell::new(None);
    explore(15, 60, async || {
        if let Some(store) = &*shared.borrow() {
            return Store::clone(store);
        }
        let store = TestDatabase::postgres().await.open().await;
        shared.replace(Some(store.clone()));
        store
    });
}
