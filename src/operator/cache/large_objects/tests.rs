use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const MIB: usize = 1024 * 1024;

fn place(namespace: &str, name: &str) -> Place {
    Place {
        namespace: namespace.into(),
        name: name.into(),
    }
}

fn age(at: i64) -> Age {
    (at, format!("uid-{at}").into())
}

/// Does what is unsettled, as the store of the objects does it.
fn settle(objects: &mut LargeObjects) {
    let unsettled = objects.unsettled();
    for place in &unsettled.without_room {
        objects.set_whole(place, false);
    }
    for place in &unsettled.with_room {
        objects.set_whole(place, true);
    }
    assert_eq!(objects.unsettled(), Unsettled::default());
}

fn whole(objects: &LargeObjects) -> BTreeMap<Place, bool> {
    let each = objects.namespaces.values().flat_map(BTreeMap::values);
    each.map(|large| (large.place.clone(), large.whole))
        .collect()
}

#[test]
fn while_there_is_room_everything_is_kept() {
    let mut objects = LargeObjects::new(ROOM);
    objects.note(place("a", "small"), age(1), SMALL, true);
    objects.note(place("a", "large"), age(2), 30 * MIB, true);
    assert!(objects.has_room_in_list(34 * MIB) && !objects.has_room_in_list(35 * MIB));
    assert_eq!(objects.unsettled(), Unsettled::default());
}

#[test]
fn q12_who_has_little_loses_nothing_to_who_has_much() {
    let mut objects = LargeObjects::new(10 * MIB);
    for number in 0..100 {
        objects.note(place("hog", &number.to_string()), age(number), MIB, true);
    }
    objects.note(place("team", "web"), age(1000), 2 * MIB, true);
    settle(&mut objects);
    let kept = whole(&objects);
    assert!(kept[&place("team", "web")]);
    let of_hog = |number: i64| kept[&place("hog", &number.to_string())];
    assert!((0..8).all(of_hog), "the oldest");
    assert!(!(8..100).any(of_hog));
    objects.forget(&place("hog", "0"));
    settle(&mut objects);
    assert!(whole(&objects)[&place("hog", "8")], "room for the next");
}

#[test]
fn what_shrinks_or_goes_makes_room() {
    let mut objects = LargeObjects::new(2 * MIB);
    objects.note(place("a", "old"), age(1), 2 * MIB, true);
    objects.note(place("a", "new"), age(2), 2 * MIB, false);
    assert_eq!(objects.unsettled(), Unsettled::default());
    objects.note(place("a", "old"), age(1), 100, true);
    assert_eq!(objects.unsettled().with_room, [place("a", "new")]);
}

#[derive(Clone, Debug)]
enum Event {
    Applied(u8, u8, usize),
    Deleted(u8, u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..4_u8, 0..8_u8, 0..3 * MIB).prop_map(|(a, b, length)| Event::Applied(a, b, length)),
        1 => (0..4_u8, 0..8_u8).prop_map(|(a, b)| Event::Deleted(a, b)),
    ]
}

fn told(objects: &mut LargeObjects, event: &Event) {
    match *event {
        Event::Applied(namespace, name, length) => {
            let place = place(&namespace.to_string(), &name.to_string());
            objects.note(place, age(i64::from(name)), length, true);
        }
        Event::Deleted(namespace, name) => {
            objects.forget(&place(&namespace.to_string(), &name.to_string()));
        }
    }
}

proptest! {
    /// Whatever happened before, and in whatever order: what is kept has room, and follows from what there is.
    #[test]
    fn what_is_kept_follows_from_the_objects_alone(events in prop::collection::vec(event(), 0..60)) {
        let mut objects = LargeObjects::new(10 * MIB);
        for event in &events {
            told(&mut objects, event);
            settle(&mut objects);
            prop_assert!(objects.kept <= objects.room);
        }
        let mut again = LargeObjects::new(10 * MIB);
        let each = objects.namespaces.values().flatten();
        let each: BTreeMap<_, _> = each.map(|(age, large)| (large.place.clone(), (age.clone(), large.bytes))).collect();
        for (place, (age, bytes)) in each {
            again.note(place, age, bytes + SMALL, false);
        }
        settle(&mut again);
        prop_assert_eq!(whole(&again), whole(&objects));
        let sum = |objects: &LargeObjects| objects.namespaces.values().flat_map(BTreeMap::values).map(|large| large.bytes).sum::<usize>();
        prop_assert_eq!(objects.bytes, sum(&objects));
    }
}
