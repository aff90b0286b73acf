use super::*;

const EXPECTED: Duration = Duration::from_millis(50);

const BOUNDS: Bounds = Bounds {
    all: 12,
    group: 8,
    member: 4,
};

fn turn(group: &str, member: &str) -> Member {
    Member {
        group: group.into(),
        member: member.into(),
    }
}

impl<T> FairQueue<T> {
    /// How much waits.
    fn waiting(&self) -> usize {
        self.waiting
    }

    /// The first piece of a member that waits and is like this.
    fn find(&mut self, turn: &Member, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        let group = self.groups.get_mut(&turn.group)?;
        let backlog = group.members.get_mut(&turn.member)?;
        let mut items = backlog.items.iter_mut().map(|(_, item)| item);
        items.find(|item| is(item))
    }
}

fn queue() -> FairQueue<u32> {
    FairQueue::new(BOUNDS)
}

/// Serves `count` pieces that take what `took` says, and names the groups and members in their order.
fn served(
    queue: &mut FairQueue<u32>,
    count: usize,
    took: impl Fn(&Member) -> Duration,
) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let Some((turn, _)) = queue.pop() else { break };
        queue.done(&turn, took(&turn.of));
        names.push(format!("{}{}", turn.of.group, turn.of.member));
    }
    names
}

#[test]
fn q04_who_sends_one_is_served_before_the_second_of_others() {
    let mut queue = queue();
    for item in 0..4 {
        queue.push(&turn("a", "1"), EXPECTED, item).unwrap();
        queue.push(&turn("a", "2"), EXPECTED, item).unwrap();
    }
    let alike = |_: &Member| Duration::from_millis(50);
    assert_eq!(served(&mut queue, 2, alike), ["a1", "a2"]);
    queue.push(&turn("a", "3"), EXPECTED, 9).unwrap();
    queue.push(&turn("b", "1"), EXPECTED, 9).unwrap();
    assert_eq!(served(&mut queue, 3, alike), ["b1", "a3", "a1"]);
    assert_eq!(queue.waiting(), 5);
}

#[test]
fn q04_costly_work_is_charged_for_what_it_takes() {
    let mut queue = queue();
    for item in 0..4 {
        queue.push(&turn("a", "cheap"), EXPECTED, item).unwrap();
        queue.push(&turn("a", "costly"), EXPECTED, item).unwrap();
    }
    let took = |turn: &Member| match &*turn.member {
        "costly" => Duration::from_millis(500),
        _ => Duration::from_millis(50),
    };
    let order = served(&mut queue, 5, took);
    assert_eq!(order, ["acheap", "acostly", "acheap", "acheap", "acheap"]);
}

const WIDE: Bounds = Bounds {
    all: 1000,
    group: 1000,
    member: 4,
};

#[test]
fn q01_cheap_work_goes_before_costly_work_that_waits() {
    let mut queue = FairQueue::new(WIDE);
    let costly = Duration::from_secs(1);
    for item in 0..60 {
        queue
            .push(&turn("a", &format!("costly-{item}")), costly, item)
            .unwrap();
    }
    let (served, _) = queue.pop().unwrap();
    queue.push(&turn("a", "zoe"), EXPECTED, 99).unwrap();
    queue.done(&served, costly);
    assert_eq!(queue.pop().unwrap().0.of.member, "zoe");
    // Also when all of them have been served for some time.
    for number in 0..30 {
        let cheap = format!("yan-{number}");
        let (served, item) = queue.pop().unwrap();
        queue.push(&served.of, costly, item).unwrap();
        queue.done(&served, costly);
        queue.push(&turn("a", &cheap), EXPECTED, 99).unwrap();
        let (next, _) = queue.pop().unwrap();
        assert_eq!(next.of.member, cheap);
        queue.done(&next, EXPECTED);
    }
}

#[test]
fn q04_what_waits_is_not_overtaken_for_ever() {
    let mut queue = FairQueue::new(Bounds { group: 10, ..WIDE });
    let costly = Duration::from_secs(1);
    queue.push(&turn("a", "zoe"), costly, 0).unwrap();
    // Others who come for the first time, more than can be served, and whose names come first.
    let mut before = 0;
    for number in 1.. {
        for twice in 0..2 {
            let other = format!("{number:04}{twice}");
            let _ = queue.push(&turn("a", &other), EXPECTED, number);
        }
        let (served, item) = queue.pop().unwrap();
        queue.done(&served, EXPECTED);
        if item == 0 {
            break;
        }
        before += 1;
    }
    // Each of ten has a tenth of the time.
    assert!((20..=200).contains(&before), "{before} went first");
}

#[test]
fn q04_equals_are_served_in_the_order_in_which_they_came() {
    let mut queue = FairQueue::new(WIDE);
    for name in ["c", "a", "d", "b"] {
        queue.push(&turn("g", name), EXPECTED, 0).unwrap();
    }
    let order = served(&mut queue, 4, |_| EXPECTED);
    assert_eq!(order, ["gc", "ga", "gd", "gb"]);
}

#[test]
fn q04_each_bound_holds_and_who_has_most_makes_room() {
    let mut queue = queue();
    for item in 0..4 {
        assert_eq!(queue.push(&turn("a", "1"), EXPECTED, item), Ok(None));
    }
    assert_eq!(queue.push(&turn("a", "1"), EXPECTED, 4), Err(Full::One));
    for item in 10..14 {
        assert_eq!(queue.push(&turn("a", "2"), EXPECTED, item), Ok(None));
    }
    let displaced = queue.push(&turn("a", "3"), EXPECTED, 20).unwrap();
    assert!([Some(3), Some(13)].contains(&displaced), "{displaced:?}");
    for item in 30..34 {
        assert_eq!(queue.push(&turn("b", "1"), EXPECTED, item), Ok(None));
    }
    assert_eq!(queue.waiting(), 12);
    assert!(
        queue
            .push(&turn("c", "1"), EXPECTED, 40)
            .unwrap()
            .is_some_and(|item| item < 30)
    );
    assert_eq!(queue.waiting(), 12);
    let mut seen = 0;
    while let Some((turn, _)) = queue.pop() {
        seen += 1;
        queue.done(&turn, Duration::ZERO);
    }
    assert_eq!(seen, 12);
    assert!(queue.groups.is_empty());
}

#[test]
fn q04_a_full_queue_of_equals_is_full() {
    let mut queue = queue();
    for number in 0..12 {
        queue
            .push(&turn(&number.to_string(), "1"), EXPECTED, number)
            .unwrap();
    }
    assert_eq!(queue.push(&turn("13", "1"), EXPECTED, 13), Err(Full::All));
    assert_eq!(queue.push(&turn("3", "2"), EXPECTED, 13), Err(Full::All));
    assert_eq!(queue.find(&turn("3", "1"), |_| true), Some(&mut 3));
}

#[test]
fn virtual_time_takes_no_room_for_those_who_are_gone() {
    let mut queue = queue();
    for number in 0..1000 {
        queue
            .push(&turn("a", &number.to_string()), EXPECTED, number)
            .unwrap();
        queue
            .push(&turn(&number.to_string(), "1"), EXPECTED, number)
            .unwrap();
        served(&mut queue, 2, |_| Duration::from_millis(1));
    }
    assert!(queue.groups.is_empty() && queue.shares.served_until.len() < 10);
}
