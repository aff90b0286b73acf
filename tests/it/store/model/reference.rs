//! The store as one would write it without a database: maps, and one thing after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use clientele_oauth::grant::{Authorization, Code, Consent, Family, Session};
use clientele_store::{Redemption, Rotation};
use jiff::{SignedDuration, Timestamp};

type Key = (String, String);

fn key(tenant: &str, name: &str) -> Key {
    (tenant.to_owned(), name.to_owned())
}

#[derive(Default)]
pub struct Reference {
    codes: BTreeMap<Key, Code>,
    families: BTreeMap<Key, Family>,
    sessions: BTreeMap<Key, Session>,
    consents: Vec<Consent>,
    tokens: BTreeMap<Key, Timestamp>,
}

/// When a family ended, or will.
fn end_of(family: &Family) -> Timestamp {
    let end = family.expires_at.min(family.idle_expires_at);
    family.revoked_at.map_or(end, |at| at.min(end))
}

impl Reference {
    pub fn insert_code(&mut self, code: &Code) -> bool {
        let tenant = &code.authorization.tenant;
        let answered = self.codes.values().any(|other| {
            other.authorization.tenant == *tenant && other.transaction == code.transaction
        });
        if !answered {
            self.codes.insert(key(tenant, &code.digest), code.clone());
        }
        !answered
    }

    pub fn code(&self, tenant: &str, digest: &str) -> Option<Code> {
        self.codes.get(&key(tenant, digest)).cloned()
    }

    pub fn redeem(
        &mut self,
        tenant: &str,
        digest: &str,
        family: Option<&Family>,
        now: Timestamp,
    ) -> Redemption {
        let Some(code) = self.codes.get_mut(&key(tenant, digest)) else {
            return Redemption::Gone;
        };
        if code.redeemed_at.is_some() {
            let family = code.family.clone();
            self.revoke_family(tenant, &family, now);
            return Redemption::Again;
        }
        code.redeemed_at = Some(now);
        if let Some(family) = family {
            self.families
                .insert(key(tenant, &family.id), family.clone());
        }
        Redemption::First
    }

    pub fn family(&self, tenant: &str, id: &str) -> Option<Family> {
        self.families.get(&key(tenant, id)).cloned()
    }

    pub fn rotate(
        &mut self,
        tenant: &str,
        id: &str,
        sequence: u32,
        grace: Duration,
        idle: Timestamp,
        now: Timestamp,
    ) -> Rotation {
        let living = self.families.get_mut(&key(tenant, id));
        let Some(family) = living.filter(|family| family.lives(now)) else {
            return Rotation::Gone;
        };
        if family.sequence == sequence {
            family.sequence += 1;
            family.rotated_at = now;
            family.idle_expires_at = idle;
            return Rotation::Next(family.clone());
        }
        let grace = SignedDuration::try_from(grace).unwrap();
        if family.sequence == sequence + 1 && now.duration_since(family.rotated_at) < grace {
            return Rotation::Retry(family.clone());
        }
        family.revoked_at = Some(now);
        Rotation::Reused
    }

    pub fn revoke_family(&mut self, tenant: &str, id: &str, now: Timestamp) -> bool {
        let Some(family) = self.families.get_mut(&key(tenant, id)) else {
            return false;
        };
        let lived = family.lives(now);
        family.revoked_at = family.revoked_at.or(Some(now));
        lived
    }

    pub fn begin_session(&mut self, session: &Session) {
        let key = key(&session.tenant, &session.digest);
        self.sessions.insert(key, session.clone());
    }

    pub fn session(&self, tenant: &str, digest: &str) -> Option<Session> {
        self.sessions.get(&key(tenant, digest)).cloned()
    }

    pub fn end_session(&mut self, tenant: &str, sid: &str, now: Timestamp) {
        self.sessions
            .retain(|_, session| session.tenant != tenant || session.sid != sid);
        self.end(now, |allowed| {
            allowed.tenant == tenant && allowed.sid == sid && !allowed.is_offline()
        });
    }

    pub fn end_all_sessions(
        &mut self,
        tenant: &str,
        subject: &str,
        offline_too: bool,
        now: Timestamp,
    ) {
        self.sessions
            .retain(|_, session| session.tenant != tenant || session.subject != subject);
        self.end(now, |allowed| {
            allowed.tenant == tenant
                && allowed.subject == subject
                && (offline_too || !allowed.is_offline())
        });
    }

    pub fn withdraw(&mut self, tenant: &str, subject: &str, registration: &str, now: Timestamp) {
        let other = |tenant_: &str, subject_: &str, registration_: &str| {
            tenant_ != tenant || subject_ != subject || registration_ != registration
        };
        self.consents
            .retain(|kept| other(&kept.tenant, &kept.subject, &kept.client_uid));
        self.end(now, |allowed| {
            !other(&allowed.tenant, &allowed.subject, &allowed.client_uid)
        });
    }

    fn end(&mut self, now: Timestamp, ends: impl Fn(&Authorization) -> bool) {
        let codes = self.codes.values_mut();
        for code in codes.filter(|code| ends(&code.authorization)) {
            code.redeemed_at = code.redeemed_at.or(Some(now));
        }
        let families = self.families.values_mut();
        for family in families.filter(|family| ends(&family.authorization)) {
            family.revoked_at = family.revoked_at.or(Some(now));
        }
    }

    pub fn keep_consent(&mut self, consent: &Consent) {
        self.consents.retain(|kept| {
            (&kept.tenant, &kept.subject, &kept.client_uid)
                != (&consent.tenant, &consent.subject, &consent.client_uid)
        });
        self.consents.push(consent.clone());
    }

    pub fn consents(&self, tenant: &str, subject: &str) -> Vec<Consent> {
        let kept = self.consents.iter();
        let mut consents: Vec<Consent> = kept
            .filter(|consent| consent.tenant == tenant && consent.subject == subject)
            .cloned()
            .collect();
        consents.sort_by(|a, b| a.client_uid.cmp(&b.client_uid));
        consents.sort_by_key(|consent| std::cmp::Reverse(consent.granted_at));
        consents
    }

    pub fn revoke_token(&mut self, tenant: &str, jti: &str, until: Timestamp) {
        self.tokens.entry(key(tenant, jti)).or_insert(until);
    }

    pub fn is_token_revoked(&self, tenant: &str, jti: &str) -> bool {
        self.tokens.contains_key(&key(tenant, jti))
    }

    pub fn purge(&mut self, now: Timestamp) -> u64 {
        let count = |this: &Self| {
            this.codes.len() + this.families.len() + this.sessions.len() + this.tokens.len()
        };
        let before = count(self);
        let hour = now - SignedDuration::from_hours(1);
        let day = now - SignedDuration::from_hours(24);
        self.codes.retain(|_, code| code.expires_at >= hour);
        self.tokens.retain(|_, expires_at| *expires_at >= hour);
        self.families.retain(|_, family| end_of(family) >= day);
        self.sessions.retain(|_, session| session.expires_at >= day);
        u64::try_from(before - count(self)).unwrap()
    }
}
