//! Everything at once and without memory: what the registry and the verdicts have to be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clientele_api::{OAuthClient, OAuthUser};
use clientele_oauth::client::served_versions::Versions;
use clientele_oauth::registry::issuer_path;
use clientele_oauth::shared_map::SharedMap;
use clientele_oauth::tenant::Clients;
use clientele_oauth::{Client, Tenant, User};
use kube::{Resource, ResourceExt};

use super::stage::Stage;
use super::written::Written;
use super::*;
use crate::cache::passwords::Wanted;
use crate::domain::client::client_id;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::status::is_ready;
use crate::domain::client::validate::{ClientInputs, validate_client};
use crate::domain::reason::Refusal;
use crate::domain::secret_entry::SecretEntry;
use crate::domain::tenant::policy::{Labels, TenantPolicy};
use crate::domain::unique_names::{NameReservation, NameReservations};
use crate::domain::user::validate::{UserInputs, password_entry, validate_user};
use crate::domain::verdict::UserDetails;

/// What a reconcile of a client would write, and of which version.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    version: Option<String>,
    written: Result<Written, Refusal>,
    tenant: Option<(Arc<str>, Option<Refusal>)>,
}

/// What a reconcile of a person would see.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPerson {
    version: Option<String>,
    registered: Result<Arc<User>, Refusal>,
    details: UserDetails,
    tenant: Option<(Arc<str>, Option<Refusal>)>,
}

struct Whole {
    tenants: HashMap<String, (String, TenantPolicy, Option<Refusal>)>,
    clients: Vec<(Arc<OAuthClient>, Result<Client, Refusal>)>,
    people: Vec<(Arc<OAuthUser>, Result<User, Refusal>)>,
}

type Found = Result<(), String>;

#[expect(
    clippy::needless_pass_by_value,
    reason = "what is compared is mostly made for it"
)]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Found {
    if is == should {
        return Ok(());
    }
    Err(format!("{what}\n  is     {is:?}\n  should {should:?}"))
}

fn labels<'s>(stage: &'s Stage, object: &impl Resource) -> Option<&'s Arc<Labels>> {
    stage
        .builder
        .namespaces
        .get(&object.meta().namespace.clone()?)
}

fn is_going(object: &OAuthClient) -> bool {
    object.metadata.deletion_timestamp.is_some()
}

fn own_name(object: &impl Resource) -> Labels {
    let name = object.meta().namespace.clone().unwrap_or_default();
    Labels::from([("kubernetes.io/metadata.name".to_owned(), name)])
}

fn whole(stage: &Stage) -> Whole {
    let (builder, settings) = (&stage.builder, &stage.inputs.context.settings);
    let mut tenants = HashMap::new();
    let objects: Vec<_> = { builder.tenants.all() }
        .iter()
        .map(|it| it.object())
        .collect();
    for object in objects
        .iter()
        .filter(|object| !TenantPolicy::is_deleted(object))
    {
        let policy = TenantPolicy::new(object, &settings.public_url, settings.publish_ahead);
        let policy = policy.with_installation_keys(settings.allowed_keys.clone());
        let problem = builder.states[&object.name_any()].1.problem.clone();
        let uid = object.uid().unwrap_or_default();
        tenants.insert(object.name_any(), (uid, policy, problem));
    }
    let policy = |tenant: &str| tenants.get(tenant).map(|(_, policy, _)| policy);
    let clients: Vec<_> = { builder.clients.all() }
        .iter()
        .map(|it| it.object())
        .collect();
    let ids = clients.iter().filter_map(|object| {
        let may = client_id::may_have(
            &ClientObject::parse(object),
            policy(&object.spec.tenant)?,
            labels(stage, &**object)?,
        );
        may.ok()
            .and_then(|()| NameReservation::of_client_id(object))
    });
    let users: Vec<_> = { builder.users.all() }
        .iter()
        .map(|it| it.object())
        .collect();
    let admitted = |object: &&Arc<OAuthUser>| {
        let pair = policy(&object.spec.tenant).zip(labels(stage, &***object));
        pair.is_some_and(|(policy, labels)| policy.users.contains(labels))
    };
    let admitted: Vec<&Arc<OAuthUser>> = users.iter().filter(admitted).collect();
    let subjects = admitted
        .iter()
        .filter_map(|user| NameReservation::of_subject(user));
    let declaring = objects
        .iter()
        .filter(|object| tenants.contains_key(&object.name_any()));
    let audiences = declaring
        .clone()
        .flat_map(|object| NameReservation::of_audiences(object));
    let claims = ids.chain(subjects).chain(audiences.map(|(_, claim)| claim));
    let ids = NameReservations::decide(claims);
    let usernames = admitted
        .iter()
        .map(|user| NameReservation::of_username(user));
    let usernames = NameReservations::decide(usernames);
    let taken: Vec<(String, String, String)> = declaring
        .flat_map(|object| {
            NameReservation::of_audiences(object).filter_map(|(uri, claim)| {
                let holder = ids.other_holder(&claim)?;
                Some((object.name_any(), uri.to_owned(), holder.to_owned()))
            })
        })
        .collect();
    for (tenant, uri, holder) in taken {
        tenants
            .get_mut(&tenant)
            .unwrap()
            .1
            .audiences
            .refuse(&uri, &holder);
    }
    let clients = clients.into_iter().map(|object| {
        let registered = client(stage, &object, &tenants, &ids);
        (object, registered)
    });
    let clients = clients.collect();
    let people = users.iter().map(|object| {
        let registered = person(stage, object, &tenants, (&ids, &usernames));
        (object.clone(), registered)
    });
    Whole {
        people: people.collect(),
        clients,
        tenants,
    }
}

type Tenants = HashMap<String, (String, TenantPolicy, Option<Refusal>)>;

fn client(
    stage: &Stage,
    object: &OAuthClient,
    tenants: &Tenants,
    ids: &NameReservations,
) -> Result<Client, Refusal> {
    let claim = NameReservation::of_client_id(object);
    let holder = claim.as_ref().and_then(|claim| ids.other_holder(claim));
    let secret = stage.inputs.cache.client_secrets.look(object);
    let labels = labels(stage, object).map_or_else(|| own_name(object), |it| (**it).clone());
    let around = ClientInputs {
        tenant: tenants
            .get(&object.spec.tenant)
            .map(|(_, policy, _)| policy),
        namespace: &labels,
        id_holder: holder,
        external_secret: secret.as_ref(),
    };
    validate_client(&ClientObject::parse(object), around)
}

fn person(
    stage: &Stage,
    object: &OAuthUser,
    tenants: &Tenants,
    (ids, usernames): (&NameReservations, &NameReservations),
) -> Result<User, Refusal> {
    let subject = NameReservation::of_subject(object);
    let entry = password_entry(object);
    let password = entry.map(|entry| stage.inputs.cache.passwords.find(&entry));
    let labels = labels(stage, object).map_or_else(|| own_name(object), |it| (**it).clone());
    let keys = stage.inputs.root_keys.load();
    let around = UserInputs {
        tenant: tenants
            .get(&object.spec.tenant)
            .map(|(uid, policy, _)| (policy, &**uid)),
        namespace: &labels,
        username_holder: usernames.other_holder(&NameReservation::of_username(object)),
        subject_holder: subject.as_ref().and_then(|claim| ids.other_holder(claim)),
        password: password.as_ref(),
        keyring: keys.verifying.as_ref().unwrap(),
        valid_from: jiff::Timestamp::UNIX_EPOCH,
    };
    validate_user(object, around).map(|user| user.person)
}

/// Compares registry, verdicts, numbers and requests with what they have to be.
pub fn compare(stage: &mut Stage) -> Found {
    let whole = whole(stage);
    verdicts(stage, &whole)?;
    registry(stage, &whole)?;
    people_enqueued(stage)?;
    enqueued(stage, &whole)
}

/// A person of whom a reconcile would see something else is enqueued, and no other.
fn people_enqueued(stage: &mut Stage) -> Found {
    let verdicts = stage.outputs.verdicts.users.all();
    let known = verdicts.iter().map(|verdict| {
        let tenant = verdict.tenant.as_ref();
        let known = KnownPerson {
            version: verdict.object.object().resource_version(),
            registered: verdict.registered.clone(),
            details: verdict.details,
            tenant: tenant.map(|it| (it.policy.issuer.clone(), it.problem.clone())),
        };
        (verdict.object.name().to_string(), known)
    });
    let known: HashMap<String, KnownPerson> = known.collect();
    let before = std::mem::replace(&mut stage.known_people, known.clone());
    let changed = known.into_iter();
    let changed = changed.filter(|(name, now)| before.get(name) != Some(now));
    let changed: BTreeSet<String> = changed.map(|(name, _)| name).collect();
    let asked = std::mem::take(&mut stage.enqueued_people);
    same("the people who are enqueued", asked, changed)
}

fn verdicts(stage: &Stage, whole: &Whole) -> Found {
    let verdicts = &stage.outputs.verdicts;
    for (object, registered) in &whole.clients {
        let what = format!(
            "the verdict about {:?}/{}",
            object.namespace(),
            object.name_any()
        );
        let current = verdicts.clients.latest(&object.uid().unwrap());
        let current = current.ok_or(format!("{what} is missing"))?;
        let kept = stage.builder.clients.get(&Place::of(&**object)).unwrap();
        same(&what, Arc::ptr_eq(&current.object, &kept), true)?;
        let is = current.registered.as_ref().map(|client| &**client);
        same(&what, is, registered.as_ref())?;
    }
    same(
        "verdicts",
        verdicts.clients.all().len(),
        whole.clients.len(),
    )?;
    for (object, registered) in &whole.people {
        let what = format!("the verdict about the person {}", object.name_any());
        let current = verdicts.users.latest(&object.uid().unwrap());
        let current = current.ok_or(format!("{what} is missing"))?;
        let is = current.registered.as_ref().map(|user| &**user);
        same(&what, is, registered.as_ref())?;
    }
    same("people", verdicts.users.all().len(), whole.people.len())?;
    passwords(stage, whole)?;
    let refused = whole
        .clients
        .iter()
        .filter(|(_, registered)| registered.is_err());
    same("refused", stage.builder.refused, refused.count())?;
    let unsaid = whole.clients.iter().filter(|(object, registered)| {
        let counts = registered.is_ok() && !is_going(object);
        counts && !object.spec.suspended && !is_ready(object)
    });
    let unsaid =
        unsaid.map(|(object, _)| (object.uid().unwrap(), object.metadata.generation.unwrap()));
    same(
        "versions",
        stage.outputs.rollout.served(),
        unsaid.collect::<Versions>(),
    )?;
    for (name, (_, policy, problem)) in &whole.tenants {
        let judged = verdicts
            .tenants
            .latest(name)
            .ok_or(format!("no tenant {name}"))?;
        let refused = |policy: &TenantPolicy| -> BTreeSet<String> {
            policy.audiences.refused.iter().cloned().collect()
        };
        same("audiences", refused(&judged.policy), refused(policy))?;
        same("problem", &judged.problem, problem)?;
    }
    same("tenants", verdicts.tenants.all().len(), whole.tenants.len())
}

/// An entry is read and hashed as long as one refers to it whom a tenant admits.
fn passwords(stage: &Stage, whole: &Whole) -> Found {
    for (namespace, key) in [
        ("ns0", "first"),
        ("ns0", "second"),
        ("ns1", "first"),
        ("ns1", "second"),
    ] {
        let entry = SecretEntry {
            namespace: namespace.into(),
            secret: "people".into(),
            key: key.into(),
        };
        let objects = whole.people.iter().map(|(object, _)| object);
        let referring = objects.filter(|object| password_entry(object).as_ref() == Some(&entry));
        let referring: Vec<_> = referring.collect();
        let admitted = referring.iter().any(|object| {
            let tenant = whole.tenants.get(&object.spec.tenant);
            let pair = tenant.zip(labels(stage, &***object));
            pair.is_some_and(|((_, policy, _), labels)| policy.users.contains(labels))
        });
        let should = match (referring.is_empty(), admitted) {
            (true, _) => Wanted::Never,
            (_, true) => Wanted::Now,
            (_, false) => Wanted::Later,
        };
        let is = stage.inputs.cache.passwords.is_wanted(&entry);
        same("whether an entry is wanted", is, should)?;
    }
    Ok(())
}

fn registry(stage: &Stage, whole: &Whole) -> Found {
    let registry = stage.outputs.registry.load();
    let names: BTreeSet<&str> = registry.tenants.keys().map(|name| &**name).collect();
    let should = whole.tenants.keys().map(String::as_str).collect();
    same("the tenants that are served", names, should)?;
    let mut served = 0;
    for name in whole.tenants.keys() {
        let tenant = &registry.tenants[&**name];
        let of_tenant = whole
            .clients
            .iter()
            .filter(|(object, _)| object.spec.tenant == *name && !is_going(object));
        let accepted = of_tenant.filter_map(|(object, registered)| {
            Some((object.spec.suspended, registered.as_ref().ok()?))
        });
        let (mut clients, mut suspended) = (BTreeMap::new(), BTreeMap::new());
        for (is_suspended, client) in accepted {
            let table = if is_suspended {
                &mut suspended
            } else {
                &mut clients
            };
            table.insert(&*client.id, client);
        }
        let is = |map: &SharedMap<Arc<str>, Arc<Client>>| {
            let entries = map
                .iter()
                .map(|(id, client)| (id.to_string(), Client::clone(client)));
            entries.collect::<BTreeMap<_, _>>()
        };
        let should = |map: BTreeMap<&str, &Client>| {
            let entries = map
                .into_iter()
                .map(|(id, client)| (id.to_owned(), client.clone()));
            entries.collect::<BTreeMap<_, _>>()
        };
        origins(tenant, &clients)?;
        served += clients.len();
        same("the clients", is(&tenant.clients), should(clients))?;
        same("the suspended", is(&tenant.suspended), should(suspended))?;
        same("the head", head(tenant), head(&fresh(stage, name)))?;
        let people = whole
            .people
            .iter()
            .filter(|(object, _)| object.spec.tenant == *name)
            .filter(|(object, _)| object.metadata.deletion_timestamp.is_none());
        let people = people.filter_map(|(_, registered)| registered.as_ref().ok());
        let people: Vec<&User> = people.collect();
        same("people", tenant.users.len(), people.len())?;
        for person in &people {
            let found = tenant.users.by_username(&person.username);
            same("a person", found.map(|found| &**found), Some(*person))?;
        }
        by_address(tenant, &people)?;
        let path = format!("{}/token", issuer_path(&tenant.issuer));
        let route = registry
            .route(&path)
            .map(|(found, _)| Arc::ptr_eq(found, tenant));
        same("the path of the tenant", route, Some(true))?;
    }
    same("served", stage.builder.served, served)
}

/// An address signs in the one who has it, if no other has it, too, and none has it as username.
fn by_address(tenant: &Tenant, people: &[&User]) -> Found {
    for address in ["alice@example.com", "bob@example.com"] {
        let having = people.iter().find(|it| &*it.username == address);
        let with = people
            .iter()
            .filter(|it| it.email().as_deref() == Some(address));
        let with: Vec<_> = with.collect();
        let alone = with.first().filter(|_| with.len() == 1);
        let should = having.or(alone.copied());
        let found = tenant.users.by_sign_in_name(address, true);
        same(
            "who has an address",
            found.map(|it| &it.uid),
            should.map(|it| &it.uid),
        )?;
    }
    Ok(())
}

fn origins(tenant: &Tenant, clients: &BTreeMap<&str, &Client>) -> Found {
    for origin in super::steps::ORIGINS {
        let listed = clients
            .values()
            .any(|client| client.allowed_origins.iter().any(|it| **it == *origin));
        same("an origin", tenant.clients.list_origin(origin), listed)?;
    }
    let colon = clients.keys().any(|id| id.starts_with("urn:"));
    same("a colon", tenant.clients.begin_with("urn"), colon)
}

/// The tenant without its clients, made from nothing.
fn fresh(stage: &Stage, name: &str) -> Tenant {
    let (_, judged) = &stage.builder.states[name];
    stage
        .builder
        .tenant(name, judged, TenantClients::default(), Arc::default())
}

fn head(tenant: &Tenant) -> String {
    let tenant = Tenant {
        clients: Clients::default(),
        suspended: SharedMap::default(),
        users: Arc::default(),
        introspectors: SharedMap::default(),
        ..tenant.clone()
    };
    format!("{tenant:?}")
}

/// A client of which a reconcile would write something else is enqueued, and no other.
fn enqueued(stage: &mut Stage, whole: &Whole) -> Found {
    let asked: BTreeSet<String> = stage.asked().into_iter().collect();
    let known = whole.clients.iter().map(|(object, registered)| {
        let tenant = whole.tenants.get(&object.spec.tenant);
        let known = Known {
            version: object.resource_version(),
            written: registered.clone().map(|client| {
                let (_, policy, _) = tenant.expect("who is registered has a tenant");
                Written::of(stage, object, &client, &policy.issuer)
            }),
            tenant: tenant.map(|(_, policy, problem)| (policy.issuer.clone(), problem.clone())),
        };
        let place = format!("{}/{}", object.namespace().unwrap(), object.name_any());
        (object.uid().unwrap(), (place, known))
    });
    let known: HashMap<String, (String, Known)> = known.collect();
    let before = std::mem::take(&mut stage.known);
    let changed = known
        .iter()
        .filter(|(uid, (_, now))| before.get(*uid) != Some(now));
    let changed: BTreeSet<String> = changed.map(|(_, (place, _))| place.clone()).collect();
    stage.known = known
        .into_iter()
        .map(|(uid, (_, known))| (uid, known))
        .collect();
    if std::mem::take(&mut stage.asked_all) {
        return Ok(());
    }
    let missing: Vec<_> = changed.difference(&asked).collect();
    same("not enqueued", missing, Vec::new())?;
    let needless: Vec<_> = asked.difference(&changed).collect();
    same("enqueued for nothing", needless, Vec::new())
}
