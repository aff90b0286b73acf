//! What the schema demands of one OAuthTenant, once more: an object may have been stored before a rule existed or with
//! admission bypassed. A tenant has many clients, so a broken rule does not stop it: the entry that breaks it is left out,
//! so that the tenant allows less and never more, and the condition Ready names it.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

use clientele_api::access_tokens::AudienceClaim;
use clientele_api::allowed_keys::{MAX_KEYS, check_entry};
use clientele_api::tenant::{
    OAuthTenantSpec, RedirectHosts, RedirectSchemes, ReservedClientId, Session, Signing,
    TenantAudience, TenantScope, Users,
};
use clientele_api::user_limits::UserLimits;
use clientele_api::{DurationString, OAuthTenant, SigningAlgorithm};
use clientele_oauth::client::redirect_uri::check_bare_scheme;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::ResourceExt;

use super::{audience_claims, branding, entry_rules};
use crate::domain::reason::{Reason, Refusal};
use crate::domain::structure::{
    Check, check_audience, check_lifetimes, length, readable, request_id, rule,
};

/// As many problems are named in a message.
const NAMED: usize = 10;

/// The tenant without what admission would have refused, and what that is.
pub(super) fn admissible(tenant: &OAuthTenant) -> (OAuthTenant, Vec<String>) {
    let mut tenant = tenant.clone();
    let mut problems = Problems(Vec::new());
    problems.note(name(&tenant.name_any()));
    problems.pages(&mut tenant.spec);
    problems.selectors(&tenant.spec);
    problems.clients(&mut tenant.spec);
    if let Some(users) = &mut tenant.spec.users {
        problems.users(users);
    }
    problems.tokens(&mut tenant.spec);
    problems.lives(&mut tenant.spec);
    (tenant, problems.0)
}

/// Whether a tenant may have this name: it is part of the issuer's URL.
pub fn name(name: &str) -> Check {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let formed = (1..=40).contains(&name.len())
        && name.bytes().all(inside)
        && !name.starts_with('-')
        && !name.ends_with('-');
    rule(
        formed,
        "metadata.name",
        "must be at most 40 lower case letters, digits and '-', because the issuer URL contains it; create an OAuthTenant with another name",
    )
}

/// What the condition Ready says about a manifest with these problems, some of whose audiences are refused.
pub fn verdict(problems: &[String], refused_audiences: &[String]) -> Result<(), Refusal> {
    let (reason, problems) = match (problems, refused_audiences) {
        ([], []) => return Ok(()),
        ([], refused) => (Reason::AudienceConflict, refused),
        (problems, _) => (Reason::InvalidSpec, problems),
    };
    let more = match problems.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named = &problems[..problems.len().min(NAMED)];
    let message = format!("{}{more}; everything else is served", named.join("; "));
    Err(Refusal::new(reason, message))
}

/// What is wrong with a tenant.
struct Problems(Vec<String>);

impl Problems {
    /// Notes a broken rule. Whether it holds.
    fn note(&mut self, check: Check) -> bool {
        check.map_err(|problem| self.0.push(problem)).is_ok()
    }

    /// Removes a value that breaks a rule.
    fn value<T>(&mut self, value: &mut Option<T>, check: impl FnOnce(&T) -> Check) {
        if value.as_ref().is_some_and(|known| !self.note(check(known))) {
            *value = None;
        }
    }

    /// Removes what is too much, what occurs twice by its key, and what breaks a rule.
    fn list<T, K: Hash + Eq>(
        &mut self,
        field: &str,
        list: &mut Vec<T>,
        most: usize,
        key: impl Fn(&T) -> K,
        check: impl Fn(&str, &T) -> Check,
    ) {
        self.note(rule(
            list.len() <= most,
            field,
            &format!("must have at most {most} entries"),
        ));
        list.truncate(most);
        let mut known = HashSet::new();
        let mut at = 0;
        list.retain(|entry| {
            let place = format!("{field}[{at}]");
            at += 1;
            let once = rule(known.insert(key(entry)), &place, "occurs twice; remove one");
            self.note(once.and_then(|()| check(&place, entry)))
        });
    }

    /// The same for texts.
    fn texts(
        &mut self,
        field: &str,
        list: &mut Vec<String>,
        most: usize,
        check: fn(&str) -> Result<(), &'static str>,
    ) {
        self.list(field, list, most, String::clone, |place, text: &String| {
            check(text).map_err(|problem| format!("{place}: {text:?} {problem}"))
        });
    }

    fn pages(&mut self, spec: &mut OAuthTenantSpec) {
        self.value(&mut spec.display_name, |name| {
            length("displayName", name, 1..=100).and_then(|()| readable("displayName", name))
        });
        let Some(pages) = &mut spec.branding else {
            return;
        };
        self.value(&mut pages.logo, |logo| {
            rule(
                branding::is_picture(logo),
                "branding.logo",
                "must be a data: URL such as data:image/png;base64,iVBORw0K... of type png, jpeg, webp or svg+xml, at most 32,768 characters",
            )
        });
        self.value(&mut pages.color, |color| {
            rule(
                branding::is_color(color),
                "branding.color",
                "must be a color of the form #rrggbb, such as #1a73e8",
            )
        });
    }

    /// A selector that cannot be read selects nothing.
    fn selectors(&mut self, spec: &OAuthTenantSpec) {
        let custom = spec.custom_client_ids.as_ref();
        let first_party = spec.first_party.as_ref().map(|policy| &policy.namespaces);
        let single = [
            ("namespaces", spec.namespaces.as_ref()),
            ("firstParty.namespaces", first_party),
            (
                "customClientIds.namespaces",
                custom.and_then(|custom| custom.namespaces.as_ref()),
            ),
            (
                "users.namespaces",
                spec.users.as_ref().and_then(|u| u.namespaces.as_ref()),
            ),
        ];
        for (field, selector) in single {
            self.note(selects(field, selector));
        }
        let mut each = |list: &str, selectors: Vec<Option<&LabelSelector>>| {
            for (at, selector) in selectors.into_iter().enumerate() {
                self.note(selects(&format!("{list}[{at}].namespaces"), selector));
            }
        };
        let hosts = spec.redirect_hosts.iter();
        each(
            "redirectHosts",
            hosts.map(|e| e.namespaces.as_ref()).collect(),
        );
        let schemes = spec.redirect_schemes.iter();
        each(
            "redirectSchemes",
            schemes.map(|e| Some(&e.namespaces)).collect(),
        );
        let scopes = spec.scopes.iter();
        each("scopes", scopes.map(|e| e.namespaces.as_ref()).collect());
        let audiences = spec.audiences.iter();
        each(
            "audiences",
            audiences.map(|e| e.namespaces.as_ref()).collect(),
        );
        let limits = spec.users.iter().flat_map(|users| &users.limits);
        each(
            "users.limits",
            limits.map(|e| e.namespaces.as_ref()).collect(),
        );
    }

    /// Names of clients, and where people return to.
    fn clients(&mut self, spec: &mut OAuthTenantSpec) {
        if let Some(custom) = &mut spec.custom_client_ids {
            let key = |pair: &ReservedClientId| (pair.id.clone(), pair.namespace.clone());
            let field = "customClientIds.reserved";
            self.list(field, &mut custom.reserved, 64, key, entry_rules::reserved);
        }
        let (field, most) = ("redirectHosts", 32);
        self.limit(field, &mut spec.redirect_hosts, most);
        for (at, RedirectHosts { hosts, .. }) in spec.redirect_hosts.iter_mut().enumerate() {
            let field = format!("{field}[{at}].hosts");
            self.not_empty(&field, hosts);
            self.texts(&field, hosts, 32, entry_rules::host);
        }
        let field = "redirectSchemes";
        self.limit(field, &mut spec.redirect_schemes, most);
        for (at, RedirectSchemes { schemes, .. }) in spec.redirect_schemes.iter_mut().enumerate() {
            let field = format!("{field}[{at}].schemes");
            self.not_empty(&field, schemes);
            self.texts(&field, schemes, 32, check_bare_scheme);
        }
        if let Some(keys) = spec.secrets.as_mut().and_then(|s| s.allowed_keys.as_mut()) {
            self.texts("secrets.allowedKeys", keys, MAX_KEYS, check_entry);
        }
    }

    /// An entry without a limit would admit everything.
    fn users(&mut self, users: &mut Users) {
        self.limit("users.limits", &mut users.limits, 64);
        for (at, entry) in users.limits.iter_mut().enumerate() {
            let field = format!("users.limits[{at}]");
            let UserLimits {
                email_domains,
                groups,
                ..
            } = entry;
            let limits = rule(
                email_domains.is_some() || groups.is_some(),
                &field,
                "limits nothing; set emailDomains, groups or both",
            );
            if !self.note(limits) {
                (*email_domains, *groups) = (Some(Vec::new()), Some(Vec::new()));
                continue;
            }
            if let Some(domains) = email_domains {
                let field = format!("{field}.emailDomains");
                self.not_empty(&field, domains);
                self.texts(&field, domains, 64, entry_rules::domain);
            }
            if let Some(groups) = groups {
                let field = format!("{field}.groups");
                self.texts(&field, groups, 64, entry_rules::group_pattern);
            }
        }
        let subjects = &mut users.reassigned_subjects;
        self.texts(
            "users.reassignedSubjects",
            subjects,
            1024,
            entry_rules::subject,
        );
    }

    /// Scopes and audiences.
    fn tokens(&mut self, spec: &mut OAuthTenantSpec) {
        for (at, TenantScope { claims, .. }) in spec.scopes.iter_mut().enumerate() {
            let field = format!("scopes[{at}].claims");
            self.texts(&field, claims, 32, entry_rules::promised_claim);
        }
        let name = |scope: &TenantScope| scope.name.clone();
        self.list("scopes", &mut spec.scopes, 256, name, entry_rules::scope);
        for (at, audience) in spec.audiences.iter_mut().enumerate() {
            self.audience(&format!("audiences[{at}]"), audience);
        }
        let uri = |audience: &TenantAudience| audience.uri.clone();
        let check = |place: &str, audience: &TenantAudience| {
            let uri = &*audience.uri;
            check_audience(uri).map_err(|problem| format!("{place}.uri: {uri:?} {problem}"))
        };
        self.list("audiences", &mut spec.audiences, 256, uri, check);
    }

    fn audience(&mut self, field: &str, audience: &mut TenantAudience) {
        let scopes = &mut audience.scopes;
        self.texts(
            &format!("{field}.scopes"),
            scopes,
            64,
            entry_rules::scope_name,
        );
        let introspectors = &mut audience.introspectors;
        let place = format!("{field}.introspectors");
        self.texts(&place, introspectors, 64, entry_rules::client_id);
        let name = |claim: &AudienceClaim| claim.name.clone();
        let place = format!("{field}.claims");
        self.list(
            &place,
            &mut audience.claims,
            16,
            name,
            audience_claims::check,
        );
    }

    /// How long what lives.
    fn lives(&mut self, spec: &mut OAuthTenantSpec) {
        // Read with the same bounds once more: see `LifetimePolicy`.
        if let Some(lifetimes) = &spec.lifetimes {
            for (field, lives) in [
                ("lifetimes.default", &lifetimes.default),
                ("lifetimes.maximum", &lifetimes.maximum),
            ] {
                let check = lives.as_ref().map(|lives| check_lifetimes(field, lives));
                self.note(check.unwrap_or(Ok(())));
            }
        }
        if let Some(session) = &mut spec.session {
            self.session(session);
        }
        self.signing(&mut spec.signing);
    }

    fn session(&mut self, session: &mut Session) {
        let minute = Duration::from_mins(1);
        let (idle, absolute) = (&mut session.idle, &mut session.absolute);
        self.value(idle, |idle| lasts("session.idle", idle, minute));
        self.value(absolute, |text| lasts("session.absolute", text, minute));
        let lives = |text: &Option<DurationString>| text.as_ref().and_then(DurationString::parse);
        let ordered = lives(idle).zip(lives(absolute));
        self.note(rule(
            ordered.is_none_or(|(idle, absolute)| idle <= absolute),
            "session",
            "idle must be at most absolute",
        ));
    }

    fn signing(&mut self, signing: &mut Signing) {
        let rotation = &mut signing.rotate_every;
        let hour = Duration::from_hours(1);
        self.value(rotation, |every| lasts("signing.rotateEvery", every, hour));
        self.value(&mut signing.request_id, |id| {
            request_id("signing.requestId", id)
        });
        let algorithms = &mut signing.algorithms;
        let name = |algorithm: &SigningAlgorithm| format!("{algorithm:?}");
        self.list("signing.algorithms", algorithms, 3, name, |_, _| Ok(()));
        self.note(rule(
            algorithms.is_empty() || algorithms.contains(&signing.algorithm),
            "signing.algorithms",
            "must contain the algorithm of access tokens, which is ES256 unless algorithm is set; it is published all the same",
        ));
    }

    fn limit<T>(&mut self, field: &str, list: &mut Vec<T>, most: usize) {
        let problem = format!("must have at most {most} entries");
        self.note(rule(list.len() <= most, field, &problem));
        list.truncate(most);
    }

    fn not_empty<T>(&mut self, field: &str, list: &[T]) {
        self.note(rule(
            !list.is_empty(),
            field,
            "must have at least one entry",
        ));
    }
}

fn selects(field: &str, selector: Option<&LabelSelector>) -> Check {
    rule(
        selector.is_none_or(|selector| entry_rules::selector(selector).is_some()),
        field,
        "must have at most 16 matchExpressions, each with a key, In and NotIn with values, Exists and DoesNotExist without; it selects no namespace",
    )
}

/// A duration that is never longer than a year.
fn lasts(field: &str, text: &DurationString, least: Duration) -> Check {
    let allowed = least..=Duration::from_hours(8760);
    let minutes = least.as_secs() / 60;
    rule(
        text.parse().is_some_and(|lasts| allowed.contains(&lasts)),
        field,
        &format!("must be a duration in h, m and s, at least {minutes}m and at most 8760h"),
    )
}

#[cfg(test)]
mod tests;
