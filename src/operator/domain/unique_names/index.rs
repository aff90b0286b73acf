//! The same decisions, kept true while claims come and go: what changes decides its own names again and no others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use super::{GONE, Kind, NameReservation, Precedence};

/// A name that an object wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The name, and what the object brings forward for it.
    pub reservation: NameReservation,
    /// Whether the object may have it, if no other does. Who may not does not keep others from it.
    pub may: bool,
}

/// A claim that counts, in the order in which claims are honored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    precedence: Precedence,
    created: Option<jiff::Timestamp>,
    uid: String,
    by: String,
    tenant: String,
    kind: Kind,
}

/// Everything about one name.
#[derive(Debug)]
struct Entry<A> {
    claims: BTreeSet<Ranked>,
    of_tenants: BTreeMap<(String, Kind), BTreeSet<Ranked>>,
    askers: HashSet<A>,
}

/// Who has which name, by the objects that want them.
#[derive(Debug)]
pub struct NameIndex<A> {
    names: HashMap<String, Entry<A>>,
    wishes: HashMap<A, Vec<Wish>>,
}

/// What the verdicts about a name follow from: its first claim, and the first of a tenant and kind.
type Decision = (Option<Ranked>, Option<Ranked>);

impl<A> Default for Entry<A> {
    fn default() -> Self {
        Self {
            claims: BTreeSet::new(),
            of_tenants: BTreeMap::new(),
            askers: HashSet::new(),
        }
    }
}

impl<A> Default for NameIndex<A> {
    fn default() -> Self {
        Self {
            names: HashMap::new(),
            wishes: HashMap::new(),
        }
    }
}

impl<A: Clone + Eq + Hash> NameIndex<A> {
    /// Takes in what an object wants now. Returns all who want a name that may have another holder since.
    pub fn set(&mut self, asker: &A, wishes: Vec<Wish>) -> HashSet<A> {
        let before = self.wishes.get(asker);
        if before.map_or(&[][..], Vec::as_slice) == wishes {
            return HashSet::new();
        }
        let before = self.wishes.remove(asker).unwrap_or_default();
        let both = before.iter().chain(&wishes).map(|wish| &wish.reservation);
        let names: Vec<NameReservation> = both.cloned().collect();
        let decided: Vec<Decision> = names.iter().map(|name| self.decision(name)).collect();
        for wish in &before {
            self.withdraw(asker, wish);
        }
        for wish in &wishes {
            self.enter(asker, wish);
        }
        let mut moved = HashSet::new();
        for (name, decided) in names.iter().zip(decided) {
            if self.decision(name) != decided {
                let entry = self.names.get(&name.name);
                moved.extend(entry.iter().flat_map(|entry| entry.askers.iter().cloned()));
            }
        }
        if !wishes.is_empty() {
            self.wishes.insert(asker.clone(), wishes);
        }
        moved
    }

    /// What an object wants, as last heard.
    pub fn wishes(&self, asker: &A) -> &[Wish] {
        self.wishes.get(asker).map_or(&[], Vec::as_slice)
    }

    /// All who want a name.
    pub fn askers(&self) -> impl Iterator<Item = &A> {
        self.wishes.keys()
    }

    /// The kind, namespace and name of the holder of this name, if it is not the claimant itself.
    pub fn other_holder(&self, claim: &NameReservation) -> Option<&str> {
        let entry = self.names.get(&claim.name);
        let first = entry.and_then(|entry| entry.claims.first());
        let is_kind = first.is_some_and(|first| first.kind == claim.kind);
        let own = entry.filter(|_| is_kind);
        let own = own.and_then(|entry| entry.first_of(claim));
        match (own, first) {
            (Some(holder), _) if holder.uid == claim.uid => None,
            (Some(holder), _) => Some(&holder.by),
            (None, Some(first)) if first.kind != claim.kind => Some(&first.by),
            (None, _) => Some(GONE),
        }
    }

    fn decision(&self, name: &NameReservation) -> Decision {
        let entry = self.names.get(&name.name);
        let first = entry.and_then(|entry| entry.claims.first());
        let own = entry.and_then(|entry| entry.first_of(name));
        (first.cloned(), own.cloned())
    }

    fn enter(&mut self, asker: &A, wish: &Wish) {
        let entry = self.names.entry(wish.reservation.name.clone());
        let entry = entry.or_default();
        entry.askers.insert(asker.clone());
        if let Some(claim) = claim(wish) {
            let tenant = (claim.tenant.clone(), claim.kind);
            let of_tenant = entry.of_tenants.entry(tenant).or_default();
            of_tenant.insert(claim.clone());
            entry.claims.insert(claim);
        }
    }

    fn withdraw(&mut self, asker: &A, wish: &Wish) {
        let name = &wish.reservation.name;
        let Some(entry) = self.names.get_mut(name) else {
            return;
        };
        entry.askers.remove(asker);
        if let Some(claim) = claim(wish) {
            entry.claims.remove(&claim);
            let tenant = (claim.tenant.clone(), claim.kind);
            if let Some(of_tenant) = entry.of_tenants.get_mut(&tenant) {
                of_tenant.remove(&claim);
                if of_tenant.is_empty() {
                    entry.of_tenants.remove(&tenant);
                }
            }
        }
        if entry.askers.is_empty() {
            self.names.remove(name);
        }
    }
}

impl<A> Entry<A> {
    fn first_of(&self, name: &NameReservation) -> Option<&Ranked> {
        let tenant = (name.tenant.clone(), name.kind);
        self.of_tenants.get(&tenant)?.first()
    }
}

/// The claim of a wish that counts.
fn claim(wish: &Wish) -> Option<Ranked> {
    let reservation = &wish.reservation;
    (wish.may && !reservation.lost).then(|| Ranked {
        precedence: reservation.precedence,
        created: reservation.created,
        uid: reservation.uid.clone(),
        by: reservation.by.clone(),
        tenant: reservation.tenant.clone(),
        kind: reservation.kind,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::NameReservations;
    use super::*;

    fn wish() -> impl Strategy<Value = Wish> {
        let precedence = prop_oneof![
            Just(Precedence::Given),
            Just(Precedence::Declared),
            Just(Precedence::New)
        ];
        let rest = (0..3_i64, any::<bool>(), any::<bool>());
        (0..3_u8, precedence, rest).prop_map(|(name, precedence, (created, lost, may))| Wish {
            reservation: NameReservation {
                tenant: String::new(),
                kind: Kind::ClientId,
                name: name.to_string(),
                uid: String::new(),
                by: String::new(),
                precedence,
                created: jiff::Timestamp::from_second(created).ok(),
                lost,
            },
            may,
        })
    }

    /// What one of a few objects wants from now on. An object is of one kind and of one tenant.
    fn step() -> impl Strategy<Value = (u8, Vec<Wish>)> {
        let wishes = proptest::collection::vec(wish(), 0..4);
        (0..6_u8, wishes).prop_map(|(asker, mut wishes)| {
            for wish in &mut wishes {
                let reservation = &mut wish.reservation;
                reservation.uid = format!("uid-{asker}");
                reservation.by = format!("Kind {asker}");
                reservation.tenant = (asker / 3).to_string();
                reservation.kind = match asker % 3 {
                    0 => Kind::ClientId,
                    1 => Kind::Subject,
                    _ => Kind::Audience,
                };
            }
            (asker, wishes)
        })
    }

    type Answers = HashMap<u8, Vec<Option<String>>>;

    fn answers(
        wishes: &HashMap<u8, Vec<Wish>>,
        ask: impl Fn(&NameReservation) -> Option<String>,
    ) -> Answers {
        let each = wishes.iter();
        let each = each.map(|(asker, wishes)| {
            let asked = wishes.iter().map(|wish| ask(&wish.reservation));
            (*asker, asked.collect())
        });
        each.collect()
    }

    proptest! {
        #[test]
        fn it_decides_as_the_whole_does_and_tells_who_is_concerned(steps in proptest::collection::vec(step(), 1..24)) {
            let (mut index, mut wishes) = (NameIndex::default(), HashMap::new());
            let mut before = Answers::new();
            for (asker, wanted) in steps {
                let concerned = index.set(&asker, wanted.clone());
                wishes.insert(asker, wanted);
                let all = wishes.values().flatten().filter(|wish| wish.may);
                let whole = NameReservations::decide(all.map(|wish| wish.reservation.clone()));
                let expected = answers(&wishes, |claim| whole.other_holder(claim).map(str::to_owned));
                let now = answers(&wishes, |claim| index.other_holder(claim).map(str::to_owned));
                prop_assert_eq!(&now, &expected);
                for (other, answer) in &now {
                    let told = *other == asker || concerned.contains(other);
                    prop_assert!(told || before.get(other) == Some(answer), "{} was not told", other);
                }
                before = now;
            }
        }
    }

    #[test]
    fn a_name_that_no_object_wants_any_more_is_forgotten() {
        let mut index = NameIndex::default();
        let reservation = NameReservation {
            tenant: "t".into(),
            kind: Kind::ClientId,
            name: "n".into(),
            uid: "u".into(),
            by: "b".into(),
            precedence: Precedence::New,
            created: None,
            lost: false,
        };
        let wish = Wish {
            reservation,
            may: true,
        };
        index.set(&1, vec![wish.clone()]);
        assert_eq!((index.wishes(&1), index.askers().count()), (&[wish][..], 1));
        index.set(&1, Vec::new());
        assert!(index.names.is_empty() && index.wishes.is_empty());
    }
}
